/** Writes down what the leader decided and how attempts ended, so that it can be asked for later. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { PastExit } from '../../model/past.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { ToldSeldom } from '../../runtime/told-seldom.ts';
import type { CoordinatorMetrics } from '../loops/coordinator-metrics.ts';
import type { Action, Plan } from '../plan/actions.ts';
import { slotKeyOf } from '../plan/slot.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { decisionsOf } from './decisions.ts';
import { ExitNews } from './exit-news.ts';
import { PastQueue, type PastQueueLimits } from './past-queue.ts';

/** A thousand services may be changed by one plan; a hundred pages of one service at most are a change of all its tasks. */
const DECISION_LIMITS: PastQueueLimits = { inFlight: 16, waiting: 2_000, waitingPerSubject: 256 };
/** A rack that fails ends tens of thousands of tasks at once: their ends are worth no more than what else the leader writes. */
const EXIT_LIMITS: PastQueueLimits = { inFlight: 32, waiting: 10_000, waitingPerSubject: 5 };

export interface RecorderParts {
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly store: Pick<Store, 'entry' | 'onChange' | 'snapshot'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
}

/** Of one term of leadership. Makes nobody wait and nothing fail; a loss is logged and counted. */
export class PastRecorder {
  private readonly parts: RecorderParts;
  private readonly news: ExitNews;
  private readonly told: ToldSeldom;
  private readonly decisions: PastQueue;
  private readonly exits: PastQueue;

  constructor(parts: RecorderParts) {
    this.parts = parts;
    this.news = new ExitNews(parts.clock.wallMs());
    this.told = new ToldSeldom(parts.clock);
    const queueParts = {
      publish: parts.bus.publishDurably.bind(parts.bus),
      onLost: (subject: string, error: unknown) => this.lost(subject, error),
    };
    this.decisions = new PastQueue(queueParts, DECISION_LIMITS);
    this.exits = new PastQueue(queueParts, EXIT_LIMITS);
  }

  /** What of a plan was carried out. */
  noteDone(done: readonly Action[], { tables }: Pick<Plan, 'tables'>, before: Snapshot): void {
    try {
      for (const decision of decisionsOf(done, tables, before, this.parts.clock.wallMs())) {
        this.decisions.add(subjects.pastDecisions(decision.serviceId), decision);
      }
    } catch (error) {
      this.lost('decisions of a plan', error);
    }
  }

  /** Follows what agents report from now on. Returns the way to stop. */
  followExits(): () => void {
    const { store } = this.parts;
    for (const { key } of store.snapshot().statuses.values()) this.noteExits(key);
    return store.onChange((bucket, keys) => {
      if (bucket === 'statuses') for (const key of keys) this.noteExits(key);
    });
  }

  /** A node may tell of what it was given to do, and of nothing else: whose past it is the assignment says. */
  private noteExits(key: string): void {
    const { store } = this.parts;
    const [status, task] = [store.entry('statuses', key)?.value, store.entry('tasks', key)?.value];
    if (!status) this.news.forget(key);
    if (!status || !task) return;
    const { id: taskId, nodeId, serviceId } = task;
    for (const exit of this.news.of(key, status, task)) {
      const past: PastExit = { v: 1, taskId, nodeId, exit };
      this.exits.add(subjects.pastExits(serviceId, slotKeyOf(task)), past);
    }
  }

  private lost(subject: string, error: unknown): void {
    this.parts.metrics.eventFailures.inc();
    this.told.event('lost', (untold) => {
      const fields = { subject, error: messageOf(error), lostSinceLastTold: untold };
      this.parts.log.warn(fields, 'could not write down what happened');
    });
  }
}
