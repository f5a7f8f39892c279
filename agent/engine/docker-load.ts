/** Loads an archive of images, as `docker load` does. The engine checks each layer by the digest the image names. */
import { z } from 'zod';
import { PlimsollError } from '../../runtime/errors.ts';
import type { EngineCalls } from './engine-calls.ts';
import { jsonLines } from './json-lines.ts';

/** The engine begins its answer when it has read the archive: a slow network may take that long for a large image. */
const LOAD_MS = 30 * 60_000;
const LoadProgress = z.object({ error: z.string().optional() });

export async function loadImage(
  calls: EngineCalls,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const stream = { contentType: 'application/x-tar', bytes: archive };
  const query = { quiet: '1' };
  const call = { method: 'POST', path: '/images/load', query, stream, deadlineMs: LOAD_MS, signal } as const;
  const answer = await calls.stream(call);
  for await (const { error } of jsonLines(answer, LoadProgress)) {
    if (error !== undefined) throw new PlimsollError('invalid', `The image could not be loaded: ${error}`);
  }
}
