/**
 * Carries a plan out: chains beside each other, the actions of one in their order, every write fenced by the leader's epoch.
 * What many chains write to one bucket in one turn goes there at once: a synchronous disk then costs one wait, not many.
 */
import { isConflict, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { mapConcurrently } from '../../runtime/map-concurrently.ts';
import { type Action, type Chain, describe, type Plan } from '../plan/actions.ts';
import type { WatchedBucket } from '../store/store.ts';
import type { Change, Outcome } from './bucket-writes.ts';
import { carryOutTurn, type TurnParts } from './turn.ts';

interface Grouping {
  /** Carried out turn by turn together. The lease is asked for before each turn. */
  readonly chains: number;
  readonly groupsInFlight: number;
}

/** A turn is one message batch to each bucket; one group is written while the other waits for its disk. */
const TOGETHER: Grouping = { chains: 128, groupsInFlight: 2 };
/** Nothing but the lease keeps a former leader from writing: it is asked for before every single write. */
const ONE_BY_ONE: Grouping = { chains: 1, groupsInFlight: 16 };

export interface ApplyParts extends TurnParts {
  /** The server refuses what a former leader writes, however late that comes. */
  readonly serverFences: boolean;
  /** Asked before every turn: a plan is long where a lease is short. */
  readonly mayWrite: () => boolean;
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

/** Carries out all chains; a failing action ends its own chain only. Never throws. */
export async function apply({ chains }: Pick<Plan, 'chains'>, parts: ApplyParts): Promise<Written> {
  const carrying = new Carrying(parts);
  const { chains: size, groupsInFlight } = parts.serverFences ? TOGETHER : ONE_BY_ONE;
  await mapConcurrently(groupsOf(chains, size), groupsInFlight, (group) => carrying.carryOut(group));
  return carrying;
}

function groupsOf(chains: readonly Chain[], size: number): Chain[][] {
  const count = Math.ceil(chains.length / size);
  return Array.from({ length: count }, (_, at) => chains.slice(at * size, (at + 1) * size));
}

class Carrying implements Written {
  readonly revisions = new Map<WatchedBucket, number>();
  readonly deleted: { bucket: WatchedBucket; key: string }[] = [];
  failures = 0;
  private readonly parts: ApplyParts;

  constructor(parts: ApplyParts) {
    this.parts = parts;
  }

  /** Turn by turn: of each chain the first action, then of those without a failure the second, and so on. */
  async carryOut(chains: readonly Chain[]): Promise<void> {
    let running = chains;
    for (let step = 0; running.length > 0 && this.parts.mayWrite(); step += 1) {
      const actions = running.flatMap((chain) => chain[step] ?? []);
      const outcomes = await carryOutTurn(actions, this.parts);
      const done = new Set(outcomes.filter((outcome) => this.note(outcome)).map(({ action }) => action));
      running = running.filter((chain) => chain.length > step + 1 && isIn(done, chain[step]));
    }
  }

  /** Whether the action was carried out. */
  private note(outcome: Outcome): boolean {
    const { action } = outcome;
    if ('error' in outcome) {
      this.noteFailure(action, outcome.error);
      return false;
    }
    if (outcome.change) this.noteChange(outcome.change);
    this.parts.onDone(action);
    return true;
  }

  private noteChange(change: Change): void {
    const { bucket } = change;
    if ('deleted' in change) this.deleted.push({ bucket, key: change.deleted });
    else this.revisions.set(bucket, Math.max(change.revision, this.revisions.get(bucket) ?? 0));
  }

  private noteFailure(action: Action, error: unknown): void {
    this.failures += 1;
    const level = isConflict(error) ? 'info' : 'warn';
    this.parts.log[level]({ action: describe(action), error: messageOf(error) }, 'could not carry out an action');
    this.parts.onFailed(action, error);
  }
}

function isIn(done: ReadonlySet<Action>, action: Action | undefined): boolean {
  return action !== undefined && done.has(action);
}
