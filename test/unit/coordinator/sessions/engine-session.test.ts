import { describe, expect, it } from 'vitest';
import { readWhole } from '../../../../coordinator/sessions/engine-session.ts';

const MEBIBYTE = Buffer.alloc(1024 * 1024);

async function* chunksOf(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield MEBIBYTE;
}

describe('readWhole()', () => {
  it('is all that came', async () => {
    expect(await readWhole({ chunks: chunksOf(3) })).toHaveLength(3 * MEBIBYTE.length);
  });

  it('does not let a node fill the memory', async () => {
    const chunks = chunksOf(Number.POSITIVE_INFINITY);

    await expect(readWhole({ chunks })).rejects.toThrow(/more than 33554432 bytes/);
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });
});
