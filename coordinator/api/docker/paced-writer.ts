/** Writing to a client no faster than it reads. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * A function that writes and resolves when the client can take more. However many call it at once (a followed service has
 * a source per task), the stream is listened to once. Rejects when the signal aborts; after that nothing is written.
 */
export function pacedWriter(client: Writable, signal: AbortSignal): (bytes: Buffer) => Promise<void> {
  let drained: Promise<unknown> | undefined;
  return async (bytes) => {
    if (signal.aborted || client.write(bytes)) return;
    drained ??= once(client, 'drain', { signal }).finally(() => {
      drained = undefined;
    });
    await drained;
  };
}
