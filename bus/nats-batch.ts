/** Several messages stored at once, all or none: JetStream's atomic batches (server 2.12, ADR-50). */
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { PlimsollError } from '../runtime/errors.ts';
import { requestTimeoutMs } from './deadlines.ts';
import type { Version } from './nats-connection.ts';

export interface BatchMessage {
  readonly subject: string;
  readonly data: string | Uint8Array;
  readonly headers: MsgHdrs;
}

/** Since when a server knows batches. One that does not takes each message for one of its own. */
export const takesBatchesSince: Version = [2, 12];

const MIB = 1024 * 1024;

/** The server takes a thousand in one batch, and keeps them in its memory until the last is there. */
const MAX_MESSAGES = 1_000;
const MAX_BYTES = 8 * MIB;
/** More than the headers of any of our messages have, which count as part of it. */
const HEADER_BYTES = 2_048;

const BatchAcknowledgement = z.union([
  z.object({ error: z.object({ description: z.string() }) }),
  z.object({ seq: z.number(), batch: z.string(), count: z.number() }),
]);

/**
 * Publishes them to one stream. Answers the last one's sequence number, those before have the numbers before it; undefined
 * when they are too much for a batch, or the server refused it: then nothing was stored. Rejects when no answer came, with
 * `precondition` when it came from a server that does not know batches and may have stored some of them.
 */
export async function publishBatch(
  connection: NatsConnection,
  messages: readonly BatchMessage[],
): Promise<number | undefined> {
  const last = messages.at(-1);
  if (!last || !fitsBatch(messages, connection.info?.max_payload ?? MIB)) return undefined;
  number(messages);
  for (const { subject, data, headers } of messages.slice(0, -1)) connection.publish(subject, data, { headers });
  last.headers.set('Nats-Batch-Commit', '1');
  const reply = await connection.request(last.subject, last.data, { headers: last.headers, timeout: requestTimeoutMs });
  const answer = BatchAcknowledgement.safeParse(reply.json());
  if (!answer.success) throw unknownToServer(last.subject);
  return 'error' in answer.data ? undefined : answer.data.seq;
}

/** Whether a batch takes them: one message too large for the server would cost the others theirs. Pure. */
export function fitsBatch(messages: readonly Pick<BatchMessage, 'data'>[], maxPayloadBytes: number): boolean {
  const sizes = messages.map(({ data }) => Buffer.byteLength(data) + HEADER_BYTES);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return messages.length <= MAX_MESSAGES && bytes <= MAX_BYTES && sizes.every((size) => size <= maxPayloadBytes);
}

function number(messages: readonly BatchMessage[]): void {
  const batchId = crypto.randomUUID();
  for (const [index, { headers }] of messages.entries()) {
    headers.set('Nats-Batch-Id', batchId);
    headers.set('Nats-Batch-Sequence', String(index + 1));
  }
}

function unknownToServer(subject: string): PlimsollError {
  return new PlimsollError(
    'precondition',
    `Cannot write ${subject} and others at once: the stream's server does not know batches; run one version of NATS`,
  );
}
