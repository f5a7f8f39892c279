/** The product broken on purpose, one way per invariant: an invariant that finds nothing wrong with its mutant is worth nothing. */
import { planTask } from '../../agent/plan/plan-task.ts';
import type { Buckets } from '../../bus/buckets.ts';
import type { RecordWrite } from '../../bus/bus.ts';
import type { Action, Chain, Plan } from '../../coordinator/plan/actions.ts';
import { ANTI_AFFINITY_LABEL } from '../../coordinator/plan/affinity.ts';
import { type Planner, plan } from '../../coordinator/plan/plan.ts';
import { VOLUME_MOVE_LABEL } from '../../coordinator/plan/sticky-volumes.ts';
import type { Snapshot } from '../../coordinator/store/snapshot.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Mutations } from './world/mutations.ts';

export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** The invariant that must find it out. */
  readonly breaks: string;
  readonly mutations: Mutations;
  /** A seed known to. */
  readonly seed: number;
  /** How long it is simulated, where a minute is too short for what it takes. */
  readonly minutes?: number;
}

type Labels = Readonly<Record<string, string>>;

const RESTLESS_MS = 3_000;
const A_DAY_MS = 86_400_000;

/** The plan with every action changed; those for which nothing is answered are left out. */
function planning(change: (action: Action, snapshot: Snapshot) => Action | undefined): Planner {
  return (snapshot, now, orphans) => {
    const made = plan(snapshot, now, orphans);
    const changed = made.chains.map((chain) => chain.map((action) => change(action, snapshot)).filter((one) => !!one));
    return { ...made, chains: changed.filter((chain) => chain.length > 0) };
  };
}

/** The plan, and more. */
function planningToo(more: (snapshot: Snapshot) => readonly Chain[]): Planner {
  return (snapshot, now, orphans): Plan => {
    const made = plan(snapshot, now, orphans);
    return { ...made, chains: [...made.chains, ...more(snapshot)] };
  };
}

function updateOf(task: { key: string; value: TaskRecord; revision: number }, change: Partial<TaskRecord>): Chain {
  const reason = 'a mutant';
  const record = { ...task.value, ...change };
  return [{ kind: 'update-task', key: task.key, record, expectedRevision: task.revision, reason }];
}

/** Tells tasks to stop whose slot has no record. */
const stopsTheUnknown = planningToo((snapshot) =>
  [...snapshot.tasks.values()]
    .filter(({ value }) => value.desired === 'running' && !snapshot.slots.has(`${value.serviceId}.${value.slot}`))
    .map((task) => updateOf(task, { desired: 'stopped' })),
);

/** Makes new tasks run at once, beside the old ones. */
const neverWaits = planning((action) =>
  action.kind === 'create-task' && action.record.desired === 'ready'
    ? { ...action, record: { ...action.record, desired: 'running' } }
    : action,
);

/** Stops all tasks of an old revision as soon as there is a new one. */
const updatesAllAtOnce = planningToo((snapshot) =>
  [...snapshot.tasks.values()]
    .filter(({ value }) => value.desired !== 'stopped')
    .filter(({ value }) => (snapshot.services.get(value.serviceId)?.value.revision ?? 0) > value.revision)
    .map((task) => updateOf(task, { desired: 'stopped' })),
);

/** Starts stand-ins as soon as a host is lost, whether it may have stopped its tasks by then or not. */
const takesTheLostForStopped: Planner = (snapshot, now, orphans) => {
  const longAgo = { lastContactMs: now.elapsedMs - A_DAY_MS };
  const liveness = new Map([...snapshot.liveness].map(([id, known]) => [id, { ...known, ...longAgo }]));
  return plan({ ...snapshot, liveness }, now, orphans);
};

/** Writes something every three seconds. */
const neverRests: Planner = (snapshot, now, orphans) => {
  const made = plan(snapshot, now, orphans);
  const turn = Math.floor(now.wallMs / RESTLESS_MS);
  const [slot] = [...snapshot.slots.values()].filter(({ value }) => value.failuresRevision !== turn);
  const nextAtMs = now.wallMs + RESTLESS_MS;
  if (!slot || made.chains.length > 0) return { ...made, nextAtMs };
  const { key, value, revision: expectedRevision } = slot;
  const record = { ...value, failuresRevision: turn };
  return { ...made, nextAtMs, chains: [[{ kind: 'put-slot', key, record, expectedRevision, reason: 'a mutant' }]] };
};

/** Forgets to fill the first slot. */
const skipsTheFirst = planning((action) =>
  (action.kind === 'create-task' && action.record.slot === 1) ||
  (action.kind === 'put-slot' && action.record.slot === 1)
    ? undefined
    : action,
);

/** An agent that makes the next attempt though the one before still runs. */
const impatientAgent: typeof planTask = (view, now) => {
  const running = view.containers.find(({ phase }) => phase === 'running');
  const made = planTask(view, now);
  if (!running || made.step || view.containers.length > 1 || view.record.desired !== 'running') return made;
  return { ...made, step: { kind: 'create', attempt: running.attempt + 1, reason: 'a mutant' } };
};

/** An agent that stops what has no record. */
const literalAgent: typeof planTask = (view, now) =>
  planTask(view.orphaned ? { ...view, record: { ...view.record, desired: 'stopped' } } : view, now);

/** An agent that takes a job for a service, which is to run again whenever it ends. */
const tirelessAgent: typeof planTask = (view, now) =>
  planTask({ ...view, record: { ...view.record, job: undefined } }, now);

/** The plan for services whose labels say something else than their users said. */
function planningFor(change: (labels: Labels) => Labels): Planner {
  return (snapshot, now, orphans) => {
    const services = [...snapshot.services].map(([id, entry]): [string, typeof entry] => {
      const spec = { ...entry.value.spec, Labels: change(entry.value.spec.Labels ?? {}) };
      return [id, { ...entry, value: { ...entry.value, spec } }];
    });
    return plan({ ...snapshot, services: new Map(services) }, now, orphans);
  };
}

/** Coordinators that acknowledge updates of services they never wrote. */
function forgetful(buckets: Buckets): Buckets {
  const { services } = buckets;
  const update: typeof services.update = async (key, value, revision) =>
    value.removedAtMs === undefined && value.change !== 'rollback' ? revision : services.update(key, value, revision);
  return { ...buckets, services: overriding(services, { update }) };
}

/** Leaders that write under an epoch long gone, past every fence. */
function unfenced(buckets: Buckets): Buckets {
  const old = <T extends { epoch: number }>(record: T): T => ({ ...record, epoch: Math.max(0, record.epoch - 1) });
  let writes = 0;
  const { slots } = buckets;
  const isThird = () => {
    writes += 1;
    return writes % 3 === 0;
  };
  const writeAll: typeof slots.writeAll = (all) =>
    slots.writeAll(all.map((write) => (isUpdate(write) && isThird() ? { ...write, value: old(write.value) } : write)));
  return { ...buckets, fenced: () => ({ ...buckets, slots: overriding(slots, { writeAll }) }) };
}

function isUpdate<T>(write: RecordWrite<T>): write is RecordWrite<T> & { readonly value: T } {
  return write.value !== undefined && write.expectedRevision !== undefined;
}

function overriding<T extends object>(original: T, changes: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      if (name in changes) return Reflect.get(changes, name);
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

export const mutants: readonly Mutant[] = [
  {
    name: 'agents that fall silent while they are well',
    breaks: 'no false alarms',
    mutations: { mute: true },
    seed: 1,
  },
  {
    name: 'an agent that does not wait for the end of an attempt',
    breaks: 'one container per task',
    mutations: { planTask: impatientAgent },
    seed: 2,
  },
  {
    name: 'a planner that never waits for old tasks',
    breaks: 'one task per slot',
    mutations: { plan: neverWaits },
    seed: 2,
  },
  {
    name: 'a planner that takes the lost for stopped',
    breaks: 'never two',
    mutations: { plan: takesTheLostForStopped },
    seed: 74,
  },
  { name: 'a leader without a fence', breaks: 'one leader writes', mutations: { buckets: unfenced }, seed: 2 },
  {
    name: 'an agent that stops what has no record',
    breaks: 'stops have reasons',
    mutations: { planTask: literalAgent },
    seed: 39,
    minutes: 3,
  },
  {
    name: 'a planner that stops what it does not know',
    breaks: 'stops have reasons',
    mutations: { plan: stopsTheUnknown },
    seed: 29,
  },
  {
    name: 'a planner that updates all at once',
    breaks: 'updates keep their promise',
    mutations: { plan: updatesAllAtOnce },
    seed: 22,
    minutes: 3,
  },
  {
    name: 'a coordinator that acknowledges what it never wrote',
    breaks: 'wishes are kept',
    mutations: { buckets: forgetful },
    seed: 2,
  },
  { name: 'a planner that skips the first slot', breaks: 'converges', mutations: { plan: skipsTheFirst }, seed: 2 },
  {
    name: 'an agent that runs jobs again and again',
    breaks: 'jobs run once',
    mutations: { planTask: tirelessAgent },
    seed: 2,
  },
  {
    name: 'a planner that leaves data behind',
    breaks: 'data stays',
    mutations: { plan: planningFor((labels) => ({ ...labels, [VOLUME_MOVE_LABEL]: 'when-needed' })) },
    seed: 8,
    minutes: 3,
  },
  {
    name: 'a planner that does not know who keeps apart',
    breaks: 'kept apart',
    mutations: { plan: planningFor(({ [ANTI_AFFINITY_LABEL]: _, ...labels }) => labels) },
    seed: 22,
    minutes: 3,
  },
  {
    name: 'a planner that never rests',
    breaks: 'a settled cluster plans nothing',
    mutations: { plan: neverRests },
    seed: 2,
  },
];
