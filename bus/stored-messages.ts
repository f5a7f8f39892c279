/** Reads what a NATS stream keeps of a subject, once, from the oldest to the newest. */
import type { Msg } from '@nats-io/transport-node';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import { streamOfSubject } from './bucket-definitions.ts';
import { requestTimeoutMs } from './deadlines.ts';
import type { NatsLink } from './nats-connection.ts';
import { placeOf } from './nats-consumers.ts';
import { natsFailure } from './nats-failure.ts';
import type { StoredWireMessage } from './wire.ts';

/** Throws `unavailable` or `timeout`. The consumer it makes vanishes with its subscription. */
export async function storedMessages(
  link: NatsLink,
  subject: string,
  clock: Clock,
): Promise<readonly StoredWireMessage[]> {
  link.requireConnected();
  const reading = new Reading();
  const inbox = link.inbox();
  const subscription = link.connection.subscribe(inbox, { callback: (error, message) => reading.take(error, message) });
  const action = `read what is kept of ${subject}`;
  const timeout = () => new PlimsollError('timeout', `Cannot ${action}: not complete within ${requestTimeoutMs} ms`);
  try {
    const read = consume(link, subject, inbox).then((isEmpty) => (isEmpty ? [] : reading.complete));
    return await withDeadline(clock, requestTimeoutMs, read, timeout);
  } catch (error) {
    throw natsFailure(error, action);
  } finally {
    subscription.unsubscribe();
  }
}

/** Has the server deliver it all to `inbox`; answers whether there is nothing. */
async function consume({ manager }: NatsLink, subject: string, inbox: string): Promise<boolean> {
  const { num_pending, delivered } = await manager.consumers.add(streamOfSubject(subject), {
    name: `read-${crypto.randomUUID()}`,
    deliver_policy: 'all',
    ack_policy: 'none',
    filter_subject: subject,
    deliver_subject: inbox,
    mem_storage: true,
    num_replicas: 1,
  });
  return num_pending === 0 && delivered.consumer_seq === 0;
}

class Reading {
  readonly complete: Promise<readonly StoredWireMessage[]>;
  private readonly kept: StoredWireMessage[] = [];
  private settle: (kept: readonly StoredWireMessage[]) => void = () => {};
  private fail: (error: unknown) => void = () => {};

  constructor() {
    this.complete = new Promise((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    // Nobody may be waiting yet, or any more.
    this.complete.catch(() => undefined);
  }

  /** Callbacks of a connection must never throw. */
  take(error: Error | null, message: Msg): void {
    if (error) return this.fail(error);
    try {
      const { pending } = placeOf(message.reply);
      this.kept.push({ subject: message.subject, data: message.data });
      if (pending === 0) this.settle(this.kept);
    } catch (thrown) {
      this.fail(thrown);
    }
  }
}
