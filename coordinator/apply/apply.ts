/** Carries a plan out: one executor per kind of action, chains beside each other, every write fenced by the leader's epoch. */
import type { Buckets, LeaderBuckets } from '../../bus/buckets.ts';
import type { Bucket } from '../../bus/bus.ts';
import { isConflict, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { type Action, type ActionKind, type Chain, describe, type Plan } from '../plan/actions.ts';
import type { WatchedBucket } from '../store/store.ts';

/** Writes under way at once: enough to keep a synchronous disk busy, few enough not to flood the server. */
const CHAINS_IN_FLIGHT = 16;

export interface ApplyParts {
  readonly fenced: LeaderBuckets;
  readonly services: Buckets['services'];
  readonly epoch: number;
  /** Asked before every write: a plan is long where a lease is short. */
  readonly mayWrite: () => boolean;
  /** Takes the last update of a service back, if its record is still at this revision. */
  readonly rollBackService: (serviceId: string, version: number) => Promise<void>;
  readonly log: Log;
  /** Told of every action carried out. */
  readonly onDone: (action: Action) => void;
  /** Told of every action that failed; the rest of its chain is left to the next plan. */
  readonly onFailed: (action: Action, error: unknown) => void;
}

/** What a plan's writes look like in the buckets: the next plan must be made from a view that shows them. */
export interface Written {
  /** Highest revision written, by bucket. */
  readonly revisions: ReadonlyMap<WatchedBucket, number>;
  readonly deleted: readonly { readonly bucket: WatchedBucket; readonly key: string }[];
  readonly failures: number;
}

type Outcome = { bucket: WatchedBucket; revision: number } | { bucket: WatchedBucket; deleted: string } | undefined;
type Executors = { [K in ActionKind]: (action: Extract<Action, { kind: K }>, parts: ApplyParts) => Promise<Outcome> };

const executors: Executors = {
  'put-slot': (action, { fenced, epoch }) =>
    put(fenced.slots, 'slots', action.key, { ...action.record, epoch }, action.expectedRevision),
  'delete-slot': (action, { fenced }) => remove(fenced.slots, 'slots', action.key, action.expectedRevision),
  'create-task': (action, { fenced, epoch }) =>
    put(fenced.tasks, 'tasks', action.key, { ...action.record, epoch }, undefined),
  'update-task': (action, { fenced, epoch }) =>
    put(fenced.tasks, 'tasks', action.key, { ...action.record, epoch }, action.expectedRevision),
  'delete-task': (action, { fenced }) => remove(fenced.tasks, 'tasks', action.key, action.expectedRevision),
  'put-rollout': (action, { fenced, epoch }) =>
    put(fenced.rollouts, 'rollouts', action.key, { ...action.record, epoch }, action.expectedRevision),
  'delete-rollout': (action, { fenced }) => remove(fenced.rollouts, 'rollouts', action.key, action.expectedRevision),
  'delete-scale': (action, { fenced }) => remove(fenced.scales, 'scales', action.key, action.expectedRevision),
  'put-net': (action, { fenced, epoch }) =>
    put(fenced.nets, 'nets', action.key, { ...action.record, epoch }, action.expectedRevision),
  'delete-net': (action, { fenced }) => remove(fenced.nets, 'nets', action.key, action.expectedRevision),
  'delete-service': (action, { services }) => remove(services, 'services', action.key, action.expectedRevision),
  'roll-back-service': async (action, parts) => {
    await parts.rollBackService(action.key, action.expectedRevision);
    return undefined;
  },
};

/** Carries out all chains; a failing action ends its own chain only. Never throws. */
export async function apply(plan: Pick<Plan, 'chains'>, parts: ApplyParts): Promise<Written> {
  const revisions = new Map<WatchedBucket, number>();
  const deleted: { bucket: WatchedBucket; key: string }[] = [];
  let failures = 0;
  const waiting = [...plan.chains];
  const work = async () => {
    for (let chain = waiting.shift(); chain; chain = waiting.shift()) {
      const failed = await runChain(chain, parts, (outcome) => note(outcome, revisions, deleted));
      failures += failed;
    }
  };
  await Promise.all(Array.from({ length: Math.min(CHAINS_IN_FLIGHT, plan.chains.length) }, work));
  return { revisions, deleted, failures };
}

/** Answers the number of failed actions: 0 or 1. */
async function runChain(chain: Chain, parts: ApplyParts, onOutcome: (outcome: Outcome) => void): Promise<0 | 1> {
  for (const action of chain) {
    if (!parts.mayWrite()) return 0;
    try {
      onOutcome(await execute(action, parts));
      parts.onDone(action);
    } catch (error) {
      const level = isConflict(error) ? 'info' : 'warn';
      parts.log[level]({ action: describe(action), error: messageOf(error) }, 'could not carry out an action');
      parts.onFailed(action, error);
      return 1;
    }
  }
  return 0;
}

function execute<K extends ActionKind>(action: Extract<Action, { kind: K }>, parts: ApplyParts): Promise<Outcome> {
  const executor = executors[action.kind];
  return executor(action, parts);
}

async function put<T>(
  bucket: Bucket<T>,
  name: WatchedBucket,
  key: string,
  record: T,
  expectedRevision: number | undefined,
): Promise<Outcome> {
  const write =
    expectedRevision === undefined ? bucket.create(key, record) : bucket.update(key, record, expectedRevision);
  return { bucket: name, revision: await write };
}

async function remove<T>(bucket: Bucket<T>, name: WatchedBucket, key: string, revision: number): Promise<Outcome> {
  await bucket.delete(key, revision);
  return { bucket: name, deleted: key };
}

function note(
  outcome: Outcome,
  revisions: Map<WatchedBucket, number>,
  deleted: { bucket: WatchedBucket; key: string }[],
): void {
  if (!outcome) return;
  if ('deleted' in outcome) deleted.push({ bucket: outcome.bucket, key: outcome.deleted });
  else revisions.set(outcome.bucket, Math.max(outcome.revision, revisions.get(outcome.bucket) ?? 0));
}
