import { describe, expect, it } from 'vitest';
import { PageMemory, PageWriter } from '../../../../agent/metrics/page-writer.ts';
import { pageText } from '../../../support/page-text.ts';

const memory = new PageMemory();

/** A page of a few chunks, all of one letter. */
function written(letter: string) {
  const writer = new PageWriter(memory);
  for (let line = 0; line < 3_000; line += 1) {
    writer.bytes(Buffer.from(letter.repeat(50)));
    writer.value(line);
  }
  return writer.finish();
}

describe('PageWriter', () => {
  it('writes text, bytes and numbers as they are, also what is longer than a chunk', () => {
    const writer = new PageWriter(new PageMemory());
    const long = 'ü'.repeat(200_000);
    writer.text('# größer\n');
    writer.bytes(Buffer.from('up '));
    writer.value(0.1);
    writer.text(long);
    const numbers = [-0.5, 1e21, 1.7976931348623157e308, 5e-324, Number.POSITIVE_INFINITY, 2 ** 53];
    for (const number of numbers) writer.value(number);

    const text = pageText(writer.finish().lend());

    expect(text).toBe(`# größer\nup 0.1\n${long}${numbers.map((number) => `${number}\n`).join('')}`);
  });

  it('writes the next page over what the last reader has released, and over nothing before', () => {
    const page = written('a');
    const [one, other] = [page.lend(), page.lend()];
    const before = Buffer.concat(one.pieces).toString();
    one.release();
    one.release();
    const second = written('b');
    expect(Buffer.concat(other.pieces).toString()).toBe(before);

    other.release();
    const third = written('c').lend();
    expect(third.pieces.some(({ buffer }) => other.pieces.some((piece) => piece.buffer === buffer))).toBe(true);
    expect(pageText(second.lend())).toMatch(/^(b{50}\d+\n){3000}$/);
    expect(pageText(third)).toMatch(/^(c{50}\d+\n){3000}$/);
  });
});
