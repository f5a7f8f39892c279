/** Starts the beat thread, and again should it ever die. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { NodeIdentity } from '../bus/identity/user-identity.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log, LogLevel } from '../runtime/log.ts';
import type { BeatState } from './beat-state.ts';
import type { BeatThreadData } from './beat-thread.ts';

const RESTART_MS = 500;

export interface BeatThreadParts {
  readonly identity: NodeIdentity;
  readonly incarnation: number;
  readonly state: BeatState;
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: LogLevel;
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
    const stopped = aborted(signal);
    await Promise.race([ended, stopped]);
    await worker.terminate();
    await parts.clock.sleep(RESTART_MS, signal).catch(() => undefined);
  }
}

function startWorker({ identity, incarnation, state, logLevel }: BeatThreadParts): Worker {
  const file = new URL(`./beat-thread${extname(import.meta.url)}`, import.meta.url);
  const workerData: BeatThreadData = { identity, incarnation, memory: state.memory, logLevel };
  return new Worker(file, { workerData });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
