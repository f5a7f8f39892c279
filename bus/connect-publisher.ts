/** A connection that can publish and nothing else: what a beat needs, in a thread that has to be small. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { Bus } from './bus.ts';
import { type DialOptions, dialNats } from './dial-nats.ts';

export type Publisher = Pick<Bus, 'publish'>;

/** Connects once; throws `unavailable` when no server lets us in. Messages published while the server is away are lost. */
export async function connectPublisher(options: Omit<DialOptions, 'waitForServer'>): Promise<Publisher> {
  const connection = await dialNats({ ...options, waitForServer: false });
  const link = { connected: true };
  void followConnection(connection, link);
  const encoder = new TextEncoder();
  return {
    // The client would keep them for the next connection: an old beat is worse than none.
    publish: (subject, message) => {
      if (link.connected) connection.publish(subject, encoder.encode(JSON.stringify(message)));
    },
  };
}

async function followConnection(connection: NatsConnection, link: { connected: boolean }): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect') link.connected = false;
    if (type === 'reconnect') link.connected = true;
  }
  link.connected = false;
}
