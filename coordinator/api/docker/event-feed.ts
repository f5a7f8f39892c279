/** What happened in the cluster, live and a little way back: the last events this coordinator has heard. */
import type { Bus } from '../../../bus/bus.ts';
import { ClusterEvent } from '../../../model/messages.ts';

const REMEMBERED_EVENTS = 1_000;

export class EventFeed {
  private readonly remembered: ClusterEvent[] = [];
  private readonly listeners = new Set<(event: ClusterEvent) => void>();
  private readonly subscription: { stop(): void };

  constructor(bus: Pick<Bus, 'subscribe'>) {
    this.subscription = bus.subscribe('plim.event.>', ClusterEvent, (event) => this.take(event));
  }

  /** Events from `fromMs` on that are still remembered, oldest first. */
  since(fromMs: number): ClusterEvent[] {
    return this.remembered.filter((event) => event.atMs >= fromMs);
  }

  /** Returns the way to stop listening. */
  listen(listener: (event: ClusterEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.subscription.stop();
  }

  private take(event: ClusterEvent): void {
    this.remembered.push(event);
    if (this.remembered.length > REMEMBERED_EVENTS) this.remembered.shift();
    for (const listener of this.listeners) listener(event);
  }
}
