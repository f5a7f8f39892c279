/** A NATS server of a user's own, with a stream, a consumer and its monitoring port: what services scale by. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AckPolicy,
  type Consumer,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { natsServerExecutable } from './nats-server.ts';

const READY_MS = 45_000;

export interface QueueServer {
  /** Of its monitoring port. */
  readonly monitoringUrl: string;
  /** Takes out all that waits or is delivered. */
  empty(): Promise<void>;
  publish(count: number): Promise<void>;
  /** Delivers so many messages; answers how to acknowledge them. */
  take(count: number): Promise<() => Promise<void>>;
  removeConsumer(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Resolves when stream and consumer are there. */
export async function startQueueServer(stream: string, consumer: string): Promise<QueueServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-queue-'));
  const [port, monitoringPort] = [await freePort(), await freePort()];
  const flags = ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port), '-m', String(monitoringPort)];
  const server = spawn(natsServerExecutable(), flags, { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const kill = async () => {
    if (server.kill('SIGKILL')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const connecting = () => connect({ servers: `127.0.0.1:${port}`, timeout: 2_000 });
    const client = await eventually(connecting, {
      timeoutMs: READY_MS,
      intervalMs: 100,
      what: 'NATS to take a client',
    });
    const making = () => jetstreamManager(client);
    const manager = await eventually(making, { timeoutMs: READY_MS, intervalMs: 100, what: 'JetStream to answer' });
    await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
    await manager.consumers.add(stream, { durable_name: consumer, ack_policy: AckPolicy.Explicit });
    const stop = async () => {
      await client.close();
      await kill();
    };
    const streams = jetstream(client);
    const queue = await streams.consumers.get(stream, consumer);
    return {
      monitoringUrl: `http://127.0.0.1:${monitoringPort}`,
      stop,
      ...calls({ stream, consumer, manager, streams, queue }),
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

interface QueueParts {
  readonly stream: string;
  readonly consumer: string;
  readonly manager: JetStreamManager;
  readonly streams: JetStreamClient;
  readonly queue: Consumer;
}

function calls({ stream, consumer, manager, streams, queue }: QueueParts): Omit<QueueServer, 'monitoringUrl' | 'stop'> {
  return {
    empty: async () => void (await manager.streams.purge(stream)),
    publish: async (count) => {
      for (let sent = 0; sent < count; sent += 1) await streams.publish(`${stream}.job`, `job ${sent}`);
    },
    take: async (count) => {
      const taken: JsMsg[] = [];
      for await (const message of await queue.fetch({ max_messages: count, expires: READY_MS })) taken.push(message);
      return async () => {
        for (const message of taken) await message.ackAck();
      };
    },
    removeConsumer: async () => void (await manager.consumers.delete(stream, consumer)),
  };
}
