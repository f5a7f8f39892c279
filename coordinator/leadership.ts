/** What this coordinator does while it leads, and whether it does. */
import type { Buckets } from '../bus/buckets.ts';
import type { Bus } from '../bus/bus.ts';
import { runLease } from '../bus/lease.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AlertBook } from './alerts/alert-book.ts';
import { AlertLoop } from './alerts/alert-loop.ts';
import type { AlertMetrics } from './alerts/alert-metrics.ts';
import type { Alertmanager } from './alerts/alertmanager.ts';
import type { AutoscaleMetrics } from './autoscale/autoscale-metrics.ts';
import { Autoscaler } from './autoscale/autoscaler.ts';
import type { Prometheus } from './autoscale/prometheus.ts';
import type { Queues } from './autoscale/queues.ts';
import { Contacts } from './loops/contacts.ts';
import type { CoordinatorMetrics } from './loops/coordinator-metrics.ts';
import { EventQueue } from './loops/event-queue.ts';
import { eventOf } from './loops/events.ts';
import { Housekeeping } from './loops/housekeeping.ts';
import { Inventory } from './loops/inventory.ts';
import { LeaderLoop } from './loops/leader-loop.ts';
import { PastRecorder } from './past/recorder.ts';
import type { Planner } from './plan/plan.ts';
import type { Store } from './store/store.ts';
import type { UsageBook } from './usage/usage-book.ts';
import type { Wishes } from './wishes/wishes.ts';

export interface LeadershipParts {
  readonly plan: Planner;
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly store: Store;
  readonly wishes: Wishes;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly autoscaleMetrics: AutoscaleMetrics;
  readonly usage: UsageBook;
  /** Undefined where none was named. */
  readonly prometheus: Prometheus | undefined;
  readonly queues: Queues | undefined;
  readonly alertBook: AlertBook;
  readonly alertMetrics: AlertMetrics;
  /** Undefined where none was named. */
  readonly alertmanager: Alertmanager | undefined;
  readonly coordinatorId: string;
  readonly nodeId: () => string | undefined;
}

export class Leadership {
  private sinceMs: number | undefined;
  private readonly parts: LeadershipParts;
  private readonly terms = new Set<Promise<void>>();
  private loop: LeaderLoop | undefined;

  constructor(parts: LeadershipParts) {
    this.parts = parts;
  }

  /** Since when this coordinator leads, on the elapsed clock; undefined while it does not. */
  get leadingSinceMs(): number | undefined {
    return this.sinceMs;
  }

  /** Version of a service's specification the last plan of this term was made from. */
  plannedVersion(serviceId: string): number | undefined {
    return this.loop?.plannedVersion(serviceId);
  }

  /** Stands for leader and leads, again and again, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, buckets, clock, log, coordinatorId, nodeId } = this.parts;
    // Read at every renewal: the host may become a node while it leads.
    const holder = {
      coordinatorId,
      get nodeId() {
        return nodeId() ?? '';
      },
    };
    const callbacks = {
      onLead: (epoch: number, term: AbortSignal, holdsLease: () => boolean) => this.begin(epoch, term, holdsLease),
      onLose: () => this.end(),
    };
    await runLease({ bus, buckets, clock, log, holder }, callbacks, signal);
    await Promise.all(this.terms);
  }

  private begin(epoch: number, signal: AbortSignal, holdsLease: () => boolean): void {
    this.sinceMs = this.parts.clock.elapsedMs();
    this.parts.metrics.leading.set(1);
    const term = this.leadTerm(epoch, signal, holdsLease).finally(() => this.terms.delete(term));
    this.terms.add(term);
  }

  private end(): void {
    this.sinceMs = undefined;
    this.loop = undefined;
    this.parts.metrics.leading.set(0);
  }

  private async leadTerm(epoch: number, signal: AbortSignal, holdsLease: () => boolean): Promise<void> {
    const { wishes, clock, log } = this.parts;
    const contacts = new Contacts({ ...this.parts, holdsLease });
    const answering = contacts.serve();
    const recorder = new PastRecorder(this.parts);
    const events = new EventQueue(this.parts);
    const stopFollowing = recorder.followExits();
    const inventory = new Inventory({ ...this.parts, onFound: (found) => loop.takeOrphans(found) });
    const loop = new LeaderLoop(
      {
        ...this.parts,
        holdsLease,
        completed: (snapshot) => inventory.addTo(contacts.addTo(snapshot)),
        rollBackService: (id, version) => wishes.services.undoUpdate(id, version),
        onDone: (action, before) => {
          const event = eventOf(action, before, clock.wallMs());
          if (event) events.add(event);
        },
        onPlanDone: (done, made, before) => recorder.noteDone(done, made, before),
      },
      epoch,
    );
    this.loop = loop;
    const autoscaler = new Autoscaler({ ...this.parts, holdsLease }, epoch);
    const alerts = new AlertLoop({ ...this.parts, holdsLease });
    const housekeeping = new Housekeeping({ ...this.parts, epoch });
    try {
      const loops = [loop, inventory, housekeeping, autoscaler, alerts];
      await Promise.all(loops.map((each) => each.run(signal)));
    } catch (error) {
      log.error({ epoch, error: messageOf(error) }, 'a term of leadership ended with an error');
    } finally {
      answering.stop();
      stopFollowing();
    }
  }
}
