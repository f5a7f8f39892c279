/** The leader's main loop: snapshot, plan, apply, wait until the snapshot shows it, again. */
import type { Buckets } from '../../bus/buckets.ts';
import { FencedOff } from '../../bus/record-bucket.ts';
import { backoffMs } from '../../runtime/backoff.ts';
import { type Clock, nowOn } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import { type ApplyParts, apply, type Written } from '../apply/apply.ts';
import type { Action, Plan } from '../plan/actions.ts';
import { withNodeLabels } from '../plan/node-labels.ts';
import type { Planner } from '../plan/plan.ts';
import type { NodeOrphan } from '../plan/planner.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store, WatchedBucket } from '../store/store.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import { measuredTurn } from './measured-turn.ts';

/** Changes come in bursts: between plans there is a pause of this many times what the last one took. */
const MIN_GAP_MS = 10;
const MAX_GAP_MS = 500;
const GAP_PER_PLAN = 5;
const RESYNC_MS = 30_000;
const RETRY_MS = 500;
/** What the bus or a rule refuses is not asked for twice a second for ever. */
const APPLY_RETRY = { firstMs: 500, maxMs: 15_000 };
/** A new coordinator hears every living node within this time: before that "not heard of" means nothing. */
const FIRST_BEATS_MS = 1_200;
const POLL_MS = 20;

/** Changes of these buckets never call for a plan. */
const UNPLANNED: readonly (WatchedBucket | 'liveness')[] = ['leases', 'alerts'];

export interface LeaderParts {
  readonly plan: Planner;
  readonly buckets: Buckets;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  /** False as soon as the lease may be another's, though nobody has said so yet. */
  readonly holdsLease: () => boolean;
  /** Adds to a snapshot what only the leader knows. */
  readonly completed: (snapshot: Snapshot) => Snapshot;
  readonly rollBackService: ApplyParts['rollBackService'];
  /** Told of each action carried out, with the snapshot it was planned from. */
  readonly onDone: (action: Action, before: Snapshot) => void;
  /** Told of all of a plan that was carried out, once it was. */
  readonly onPlanDone: (done: readonly Action[], made: Plan, before: Snapshot) => void;
}

/** Leads one term; made anew for each epoch. */
export class LeaderLoop {
  private readonly parts: LeaderParts;
  private readonly epoch: number;
  private readonly poke = new Poke();
  private alarm = new AbortController();
  private orphans: readonly NodeOrphan[] = [];
  private gapMs = MIN_GAP_MS;
  private knownFailures: ReadonlySet<string> = new Set();
  /** Plans in a row of which something could not be carried out. */
  private failedPlans = 0;
  private planned: Snapshot['services'] | undefined;

  constructor(parts: LeaderParts, epoch: number) {
    this.parts = parts;
    this.epoch = epoch;
  }

  /** Version of a service's specification the last plan was made from; undefined for one no plan knew. */
  plannedVersion(serviceId: string): number | undefined {
    return this.planned?.get(serviceId)?.revision;
  }

  /** Containers the agents have told of; the next plan adopts or stops those without assignments, or one after it does. */
  takeOrphans(orphans: readonly NodeOrphan[]): void {
    this.orphans = orphans;
    this.poke.poke();
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.parts;
    const stopListening = store.onChange((bucket) => {
      if (!UNPLANNED.includes(bucket)) this.poke.poke();
    });
    try {
      await this.firstBeats(signal);
      const gapMs = () => this.gapMs;
      const times = {
        get minGapMs() {
          return gapMs();
        },
        resyncMs: RESYNC_MS,
        retryMs: RETRY_MS,
      };
      const onError = (error: unknown) => {
        log.error({ epoch: this.epoch, error: messageOf(error) }, 'a turn of the leader failed');
      };
      const tick = () => measuredTurn(this.parts, 'leader', () => this.tick(signal));
      await runLoop({ tick, poke: this.poke, times, clock, onError }, signal);
    } finally {
      stopListening();
      this.alarm.abort();
    }
  }

  private async firstBeats(signal: AbortSignal): Promise<void> {
    const { clock, store } = this.parts;
    const untilMs = clock.elapsedMs() + FIRST_BEATS_MS;
    const isWaiting = () =>
      [...store.snapshot().nodes.keys()].some((id) => {
        const state = store.snapshot().liveness.get(id)?.state;
        return state === undefined || state === 'unknown';
      });
    while (!signal.aborted && clock.elapsedMs() < untilMs && isWaiting()) {
      await clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  }

  private async tick(signal: AbortSignal): Promise<void> {
    const { store, clock, metrics } = this.parts;
    if (!store.isCurrent) {
      metrics.skippedPlans.inc({ reason: 'view-not-current' });
      throw new PlimsollError(
        'unavailable',
        'Cannot plan: the view of the buckets has a gap, waiting until it is whole',
      );
    }
    const now = nowOn(clock);
    const snapshot = this.parts.completed(store.snapshot());
    const { orphans } = this;
    const planned = this.parts.plan(snapshot, now, orphans);
    const made = withNodeLabels(planned, (nodeId) => snapshot.nodeSpecs.get(nodeId)?.value.labels);
    this.tellFailures(made);
    this.planned = snapshot.services;
    const tookMs = clock.elapsedMs() - now.elapsedMs;
    metrics.planSeconds.observe(tookMs / 1000);
    this.gapMs = Math.min(MAX_GAP_MS, Math.max(MIN_GAP_MS, GAP_PER_PLAN * tookMs));
    if (made.nextAtMs !== undefined) this.wakeIn(made.nextAtMs - now.wallMs);
    const isDone = made.chains.length === 0 || (await this.carryOut(made, snapshot, signal));
    if (isDone && this.orphans === orphans) this.orphans = [];
  }

  /** What went wrong for one thing is said once, until it goes well or wrong in another way. */
  private tellFailures({ failures }: Plan): void {
    const words = failures.map(({ of, error }) => `${JSON.stringify(of)}: ${messageOf(error)}`);
    for (const [index, { of, error }] of failures.entries()) {
      this.parts.metrics.loopErrors.inc({ loop: 'leader' });
      if (this.knownFailures.has(words[index] ?? '')) continue;
      this.parts.log.error({ of, error: messageOf(error) }, 'something cannot be planned, the rest can');
    }
    this.knownFailures = new Set(words);
  }

  /** True when all of it was done and is seen. */
  private async carryOut(made: Plan, snapshot: Snapshot, signal: AbortSignal): Promise<boolean> {
    const { buckets, clock, metrics, log } = this.parts;
    if (signal.aborted || !this.parts.holdsLease()) return false;
    const startedMs = clock.elapsedMs();
    let isFencedOff = false;
    const done: Action[] = [];
    const written = await apply(made, {
      fenced: buckets.fenced({ epoch: this.epoch }),
      services: buckets.services,
      epoch: this.epoch,
      serverFences: buckets.serverFences,
      mayWrite: () => !signal.aborted && this.parts.holdsLease(),
      rollBackService: this.parts.rollBackService,
      log,
      onDone: (action) => {
        done.push(action);
        this.done(action, snapshot);
      },
      onFailed: ({ kind }, error) => {
        isFencedOff ||= error instanceof FencedOff;
        metrics.actionFailures.inc({ kind, code: error instanceof PlimsollError ? error.code : 'internal' });
      },
    });
    this.parts.onPlanDone(done, made, snapshot);
    await this.seen(written);
    metrics.applySeconds.observe((clock.elapsedMs() - startedMs) / 1000);
    this.failedPlans = written.failures === 0 ? 0 : this.failedPlans + 1;
    if (written.failures === 0) {
      this.poke.poke();
      return true;
    }
    const nextMs = made.nextAtMs === undefined ? Number.POSITIVE_INFINITY : made.nextAtMs - clock.wallMs();
    this.wakeIn(Math.min(backoffMs(APPLY_RETRY, this.failedPlans), nextMs));
    if (isFencedOff || written.failures === made.chains.length) await this.renewFence();
    return false;
  }

  /** A bucket that was lost or is older than it was has taken the fence with it; a newer leader's is never touched. */
  private async renewFence(): Promise<void> {
    this.parts.log.warn({ epoch: this.epoch }, 'actions could not be carried out: setting the fence again');
    await this.parts.buckets.raiseFence(this.epoch);
  }

  private done(action: Action, before: Snapshot): void {
    const { metrics, log } = this.parts;
    metrics.actions.inc({ kind: action.kind });
    log.debug({ epoch: this.epoch, kind: action.kind, key: action.key, reason: action.reason }, 'carried out');
    this.parts.onDone(action, before);
  }

  /** The next plan must not repeat what this one wrote. */
  private async seen({ revisions, deleted }: Written): Promise<void> {
    const { store } = this.parts;
    await Promise.all([
      ...[...revisions].map(([bucket, revision]) => store.reached(bucket, revision)),
      ...deleted.map(({ bucket, key }) => store.vanished(bucket, key)),
    ]);
  }

  /** The newest plan knows best when time alone calls for another. */
  private wakeIn(waitMs: number): void {
    this.alarm.abort();
    this.alarm = new AbortController();
    void this.parts.clock
      .sleep(Math.max(0, waitMs), this.alarm.signal)
      .then(() => this.poke.poke())
      .catch(() => undefined);
  }
}
