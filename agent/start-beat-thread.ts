/** Starts the beat thread, and again should it ever die. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { aborted } from '../runtime/aborted.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { BeatState } from './beat-state.ts';
import type { BeatIdentity, BeatThreadData, BeatTrouble } from './beat-thread.ts';

const RESTART_MS = 500;
/** It makes next to no garbage: a young generation of the usual 16 MB would only be memory never given back. */
const YOUNG_GENERATION_MB = 1;

export interface BeatThreadParts {
  readonly identity: BeatIdentity;
  readonly incarnation: number;
  readonly state: BeatState;
  readonly clock: Clock;
  readonly log: Log;
}

export function startBeatThread(parts: BeatThreadParts): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const kept = keepRunning(parts, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await kept;
    },
  };
}

async function keepRunning(parts: BeatThreadParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const worker = startWorker(parts);
    const ended = once(worker, 'exit');
    worker.on('error', (error) =>
      parts.log.error({ error: messageOf(error) }, 'the beat thread failed: starting another'),
    );
    worker.on('message', ({ error }: BeatTrouble) => parts.log.debug({ error }, 'the bus is away: no beats'));
    const stopped = aborted(signal);
    await Promise.race([ended, stopped]);
    await worker.terminate();
    await parts.clock.sleep(RESTART_MS, signal).catch(() => undefined);
  }
}

function startWorker({ identity, incarnation, state }: BeatThreadParts): Worker {
  const file = new URL(`./beat-thread${extname(import.meta.url)}`, import.meta.url);
  const { nodeId, natsUrls, jwt, seed, caPem } = identity;
  const own = { nodeId, natsUrls, jwt, seed, caPem };
  const workerData: BeatThreadData = { identity: own, incarnation, memory: state.memory };
  return new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
}
