/** Core messaging over a NATS connection. */

import { headers } from '@nats-io/transport-node';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { requestTimeoutMs } from './deadlines.ts';
import { publishBatch, takesBatchesSince } from './nats-batch.ts';
import type { NatsLink } from './nats-connection.ts';
import { natsFailure } from './nats-failure.ts';
import { storedMessages } from './stored-messages.ts';
import type { StoredWireMessage, Wire, WireMessage } from './wire.ts';

const NO_RESPONDERS = 503;

export class NatsWire implements Wire {
  private readonly link: NatsLink;
  private readonly clock: Clock;
  private readonly log: Log;

  constructor(link: NatsLink, clock: Clock, log: Log) {
    this.link = link;
    this.clock = clock;
    this.log = log;
  }

  get connected(): boolean {
    return this.link.connected;
  }

  onConnectionChange(listener: (connected: boolean) => void): () => void {
    return this.link.onConnectionChange(listener);
  }

  publish(subject: string, data: Uint8Array, reply?: string): boolean {
    if (!this.link.connected || this.link.connection.isClosed()) return false;
    try {
      this.link.connection.publish(subject, data, reply === undefined ? {} : { reply });
      return true;
    } catch (error) {
      this.log.warn({ subject, error: messageOf(error) }, 'NATS did not take a message');
      return false;
    }
  }

  async storeTogether(messages: readonly StoredWireMessage[]): Promise<boolean> {
    if (!this.link.serverIsSince(takesBatchesSince)) return false;
    this.link.requireConnected();
    const batch = messages.map(({ subject, data }) => ({ subject, data, headers: headers() }));
    const work = publishBatch(this.link.connection, batch);
    const action = `store ${messages.length} messages at once`;
    const timeout = () => new PlimsollError('timeout', `Cannot ${action}: no answer within ${requestTimeoutMs} ms`);
    try {
      return (await withDeadline(this.clock, requestTimeoutMs, work, timeout)) !== undefined;
    } catch (error) {
      throw natsFailure(error, action);
    }
  }

  subscribe(subject: string, handler: (message: WireMessage) => void, group?: string): { stop(): void } {
    const subscription = this.link.connection.subscribe(subject, {
      ...(group === undefined ? {} : { queue: group }),
      callback: (error, message) => {
        if (error) return this.log.warn({ subject, error: messageOf(error) }, 'NATS refused a subscription');
        const noResponders = message.headers?.code === NO_RESPONDERS && message.data.length === 0;
        // What a callback throws would end the whole connection's reader.
        try {
          handler({ subject: message.subject, data: message.data, reply: message.reply, noResponders });
        } catch (thrown) {
          this.log.error({ subject: message.subject, error: messageOf(thrown) }, 'a message handler threw');
        }
      },
    });
    return { stop: () => subscription.unsubscribe() };
  }

  stored(subject: string): Promise<readonly StoredWireMessage[]> {
    return storedMessages(this.link, subject, this.clock);
  }

  inbox(): string {
    return this.link.inbox();
  }

  close(): Promise<void> {
    return this.link.close();
  }
}
