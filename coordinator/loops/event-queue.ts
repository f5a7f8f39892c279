/** Events of one moment, stored at once: a turn of the leader brings forth a hundred of them. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { ClusterEvent } from '../../model/messages.ts';
import { type EventParts, noteLostEvent } from './events.ts';

type EventQueueParts = Omit<EventParts, 'bus'> & { readonly bus: Pick<Bus, 'publishAllDurably'> };

/** Makes nobody wait; a loss is logged and counted. */
export class EventQueue {
  private readonly parts: EventQueueParts;
  private waiting: ClusterEvent[] = [];

  constructor(parts: EventQueueParts) {
    this.parts = parts;
  }

  /** It goes to the stream with all that are added before the program gets to something else. */
  add(event: ClusterEvent): void {
    this.waiting.push(event);
    if (this.waiting.length === 1) queueMicrotask(() => void this.send());
  }

  private async send(): Promise<void> {
    const events = this.waiting;
    this.waiting = [];
    const messages = events.map((event) => ({ subject: subjects.event(event.kind, event.id), message: event }));
    const ends = await this.parts.bus.publishAllDurably(messages);
    for (const [index, end] of ends.entries()) {
      const event = events[index];
      if (event && end.status === 'rejected') noteLostEvent(this.parts, event, end.reason);
    }
  }
}
