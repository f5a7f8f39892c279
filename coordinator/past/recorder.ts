/** Writes down what the leader decided and how attempts ended, so that it can be asked for later. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { PastDecision, PastExit } from '../../model/past.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { CoordinatorMetrics } from '../loops/coordinator-metrics.ts';
import type { Action, Plan } from '../plan/actions.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { decisionsOf } from './decisions.ts';
import { ExitNews } from './exit-news.ts';

export interface RecorderParts {
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly store: Pick<Store, 'entry' | 'onChange' | 'snapshot'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
}

/** Of one term of leadership. Makes nobody wait; a loss is logged and counted. */
export class PastRecorder {
  private readonly parts: RecorderParts;
  private readonly news: ExitNews;

  constructor(parts: RecorderParts) {
    this.parts = parts;
    this.news = new ExitNews(parts.clock.wallMs());
  }

  /** What of a plan was carried out. */
  noteDone(done: readonly Action[], { tables }: Pick<Plan, 'tables'>, before: Snapshot): void {
    for (const decision of decisionsOf(done, tables, before, this.parts.clock.wallMs())) {
      this.write(subjects.pastDecisions(decision.serviceId), decision);
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

  private noteExits(key: string): void {
    const { store } = this.parts;
    const status = store.entry('statuses', key)?.value;
    for (const exit of this.news.of(key, status, store.entry('tasks', key)?.value)) {
      if (!status) continue;
      const { taskId, nodeId, serviceId, slot } = status;
      const past: PastExit = { v: 1, taskId, nodeId, exit };
      this.write(subjects.pastExits(serviceId, slot === 0 ? nodeId : String(slot)), past);
    }
  }

  private write(subject: string, past: PastDecision | PastExit): void {
    this.parts.bus.publishDurably(subject, past).catch((error: unknown) => {
      this.parts.metrics.eventFailures.inc();
      this.parts.log.warn({ subject, error: messageOf(error) }, 'could not write down what happened');
    });
  }
}
