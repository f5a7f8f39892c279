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
  surviveLateSocketErrors();
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

/** What a socket may still say after its owner has given it up. */
const LATE_SOCKET_ERRORS = ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_DESTROYED', 'EPIPE', 'ECONNRESET'];

/**
 * The NATS client takes its listeners off a dead connection before the connection's last error comes; seen when a process
 * was frozen while the server died. The client has reconnected by then: no reason to end a daemon. Anything else is.
 */
function surviveLateSocketErrors(): void {
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    const isLate = LATE_SOCKET_ERRORS.includes(error.code ?? '');
    process.stderr.write(
      `${JSON.stringify({ level: isLate ? 'warn' : 'fatal', error: error.stack, msg: 'an error nobody waited for' })}\n`,
    );
    if (!isLate) process.exit(1);
  });
}
