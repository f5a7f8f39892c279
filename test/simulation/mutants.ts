/** Planners, agents and coordinators broken on purpose, each in the way one invariant is there to find. */
import type { Engine } from '../../agent/engine/engine.ts';
import { planTask } from '../../agent/plan/plan-task.ts';
import type { Buckets } from '../../bus/buckets.ts';
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { Action } from '../../coordinator/plan/actions.ts';
import { type Planner, plan } from '../../coordinator/plan/plan.ts';
import type { Snapshot } from '../../coordinator/store/snapshot.ts';
import type { ServiceRecord } from '../../model/records.ts';
import type { Mutations } from './world/mutations.ts';

export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** The invariant that must find it. */
  readonly breaks: string;
  readonly mutations: Mutations;
}

export const mutants: readonly Mutant[] = [
  { name: 'an agent that adopts nothing', breaks: 'one container per task', mutations: { engine: withoutAdoption } },
  {
    name: 'a planner that overlooks what one node runs',
    breaks: 'one task per slot',
    mutations: { plan: (snapshot, ...rest) => plan(withoutTasksOfFirstNode(snapshot), ...rest) },
  },
  {
    name: 'coordinators that all lead at once, without a fence',
    breaks: 'one leader writes',
    mutations: { buckets: withoutLease },
  },
  {
    name: 'an agent that stops what has no assignment',
    breaks: 'stops have reasons',
    mutations: {
      planTask: (view, now) =>
        planTask(view.orphaned ? { ...view, record: { ...view.record, desired: 'stopped' } } : view, now),
    },
  },
  {
    name: 'a planner that updates everything at once',
    breaks: 'updates keep their promise',
    mutations: { plan: (snapshot, ...rest) => plan(withServices(snapshot, updatedAtOnce), ...rest) },
  },
  {
    name: 'a planner that drops services without replicas',
    breaks: 'wishes are kept',
    mutations: { plan: withMore(dropEmptyServices) },
  },
  {
    name: 'a coordinator that believes neither beats nor probes',
    breaks: 'no false alarms',
    mutations: { bus: deafToBeats, probe: async () => ({ reachable: false, error: 'not even tried' }) },
  },
  {
    name: 'a planner that plans nothing',
    breaks: 'converges',
    mutations: { plan: () => ({ chains: [], failures: [], nextAtMs: undefined }) },
  },
  {
    name: 'a planner that writes what is there already',
    breaks: 'a settled cluster plans nothing',
    mutations: { plan: withMore(rewriteOldestSlot) },
  },
];

/** The object with some of its methods replaced; classes keep their private state. */
function but<T extends object>(whole: T, replaced: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const own: unknown = Reflect.get(replaced, name);
      if (own !== undefined) return own;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Containers are never found again, and a name that is taken is no obstacle. */
function withoutAdoption(engine: Engine): Engine {
  let made = 0;
  return but(engine, {
    listOwn: async () => [],
    create: (request) => {
      made += 1;
      return engine.create({ ...request, name: `${request.name}.${made}` });
    },
  });
}

function withoutTasksOfFirstNode(snapshot: Snapshot): Snapshot {
  const [first] = [...snapshot.nodes.keys()].sort();
  const isElsewhere = ([, { value }]: [string, { value: { nodeId: string } }]) => value.nodeId !== first;
  return {
    ...snapshot,
    tasks: new Map([...snapshot.tasks].filter(isElsewhere)),
    statuses: new Map([...snapshot.statuses].filter(isElsewhere)),
  };
}

/** Every candidate takes the lease from whoever has it, and no server refuses anybody. */
function withoutLease(buckets: Buckets): Buckets {
  const leases = but(buckets.leases, {
    get: async () => undefined,
    create: (key, value) => buckets.leases.put(key, value),
    update: (key, value) => buckets.leases.put(key, value),
  });
  return but(buckets, { leases, raiseFence: async (epoch) => ({ epoch }), fenced: () => buckets });
}

function withServices(snapshot: Snapshot, change: (service: ServiceRecord) => ServiceRecord): Snapshot {
  const services = [...snapshot.services].map(([id, entry]) => [id, { ...entry, value: change(entry.value) }] as const);
  return { ...snapshot, services: new Map(services) };
}

function updatedAtOnce(service: ServiceRecord): ServiceRecord {
  const UpdateConfig = { ...service.spec.UpdateConfig, Parallelism: 0, Order: 'stop-first' as const };
  return { ...service, spec: { ...service.spec, UpdateConfig, RollbackConfig: UpdateConfig } };
}

function withMore(more: (snapshot: Snapshot, wallMs: number) => readonly Action[]): Planner {
  return (snapshot, now, orphans) => {
    const planned = plan(snapshot, now, orphans);
    return { ...planned, chains: [...planned.chains, ...more(snapshot, now.wallMs).map((action) => [action])] };
  };
}

function dropEmptyServices({ services }: Snapshot): Action[] {
  return [...services.values()]
    .filter(({ value }) => value.removedAtMs === undefined && value.spec.Mode?.Replicated?.Replicas === 0)
    .map(({ value, revision }) => ({
      kind: 'delete-service',
      key: value.id,
      expectedRevision: revision,
      reason: 'nobody needs it',
    }));
}

/** Often enough to be seen, seldom enough not to keep everybody busy. */
const REWRITE_MS = 10_000;

function rewriteOldestSlot({ slots }: Snapshot, wallMs: number): Action[] {
  const [oldest] = [...slots].sort(([, a], [, b]) => a.writtenAtMs - b.writtenAtMs);
  if (!oldest || wallMs - oldest[1].writtenAtMs < REWRITE_MS) return [];
  const [key, { value, revision }] = oldest;
  return [{ kind: 'put-slot', key, record: value, expectedRevision: revision, reason: 'to be sure' }];
}

/** Hears each node's first beats only. */
function deafToBeats(bus: Bus): Bus {
  const BEATS_HEARD = 40;
  const heard = new Map<string, number>();
  return but(bus, {
    subscribe: (subject, schema, handler) =>
      bus.subscribe(subject, schema, (message, from) => {
        if (subject === subjects.beats) {
          const count = (heard.get(from) ?? 0) + 1;
          heard.set(from, count);
          if (count > BEATS_HEARD) return;
        }
        handler(message, from);
      }),
    askNode: async (nodeId, verb, message, reply, timeoutMs) =>
      verb === 'probe'
        ? reply.parse({ reachable: false, error: 'not even tried' })
        : bus.askNode(nodeId, verb, message, reply, timeoutMs),
  });
}
