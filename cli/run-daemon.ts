/** The life of a daemon process: until it is told to end, or must not go on. */
import { terminationSignal } from '../runtime/lifecycle.ts';

export interface Daemon {
  /** Rejects when the daemon must not go on; never resolves. */
  readonly failed?: Promise<never>;
  stop(): Promise<void>;
}

/**
 * Starts a daemon and resolves after SIGTERM or SIGINT, when it has stopped; rejects when it cannot start or must not
 * go on. The signal ends a start that still waits for something.
 */
export async function runUntilTold(start: (signal: AbortSignal) => Promise<Daemon>): Promise<void> {
  const stopping = new AbortController();
  const told = terminationSignal().then(() => stopping.abort());
  const started = start(stopping.signal);
  const daemon = await started.catch((error) => {
    if (stopping.signal.aborted) return undefined;
    throw error;
  });
  if (!daemon) return;
  try {
    await Promise.race([told, ...(daemon.failed ? [daemon.failed] : [])]);
  } finally {
    await daemon.stop();
  }
}
