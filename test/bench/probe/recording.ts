/** Which files an agent with the recorder in it reads. */
import { connect } from 'node:net';
import { extname } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FileOperation } from '../agent/file-operation.ts';

/** The environment that makes a `plim agent` listen at `socketPath`. */
export function recordedEnvironment(socketPath: string): Record<string, string> {
  const preload = fileURLToPath(new URL(`./record-reads${extname(import.meta.url)}`, import.meta.url));
  return { NODE_OPTIONS: `--import=${preload}`, PLIMSOLL_BENCH_RECORD: socketPath };
}

/** The operations since the last call. */
export async function takeRecording(socketPath: string): Promise<FileOperation[]> {
  return z.array(FileOperation).parse(JSON.parse(await text(connect(socketPath))));
}
