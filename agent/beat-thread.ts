/**
 * The beat thread: its own connection, so that neither a busy main loop nor a full state connection delays a beat. Every
 * module it loads is loaded a second time in the process: it loads next to none.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { connectPublisher, type Publisher } from '../bus/connect-publisher.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { systemClock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { beatUntil } from './beat.ts';
import { BeatState } from './beat-state.ts';

/** What the main thread starts this one with. */
export interface BeatThreadData {
  readonly identity: BeatIdentity;
  readonly incarnation: number;
  readonly memory: SharedArrayBuffer;
}

export interface BeatIdentity {
  readonly nodeId: string;
  readonly natsUrls: readonly string[];
  readonly jwt: string;
  readonly seed: string;
  readonly caPem: string;
}

/** What this thread tells the main one: it has no log of its own. */
export interface BeatTrouble {
  readonly error: string;
}

const RETRY = { firstMs: 100, maxMs: 1_000 };

/** Beats until the main thread ends this one: beats are never stored, nothing is lost with it. */
async function run({ identity, incarnation, memory }: BeatThreadData): Promise<void> {
  const publisher = await connect(identity);
  const monotonicNs = () => process.hrtime.bigint();
  const beating = {
    nodeId: identity.nodeId,
    incarnation,
    state: new BeatState(memory),
    clock: systemClock,
    monotonicNs,
  };
  await beatUntil(publisher, beating, new AbortController().signal);
}

async function connect({ nodeId, jwt, seed, natsUrls: urls, caPem }: BeatIdentity): Promise<Publisher> {
  const user = { name: nodeId, jwt: () => jwt, seed };
  for (let failures = 1; ; failures += 1) {
    try {
      return await connectPublisher({ urls, user, caPem, purpose: 'beats' });
    } catch (error) {
      const trouble: BeatTrouble = { error: messageOf(error) };
      parentPort?.postMessage(trouble);
      await systemClock.sleep(backoffMs(RETRY, failures));
    }
  }
}

await run(workerData as BeatThreadData);
