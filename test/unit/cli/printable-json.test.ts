import { describe, expect, it } from 'vitest';
import { printableJson } from '../../../cli/printable-json.ts';

const shown = (value: unknown): unknown => JSON.parse(printableJson(JSON.stringify(value)));

describe('printableJson()', () => {
  it.each([
    ['\x1b[2J\x1b]0;title\x07', '\\x1b[2J\\x1b]0;title\\x07'],
    ['hidden\rshown', 'hidden\\x0dshown'],
    ['\b\f\x00', '\\x08\\x0c\\x00'],
    ['\x7f\x9b31m', '\\x7f\\x9b31m'],
  ])('writes out what steers a terminal: %j', (text, expected) => {
    expect(shown({ [text]: [text] })).toEqual({ [expected]: [expected] });
  });

  it.each(['two\nlines\tand a tab', 'C:\\u001b\\r "quoted" \\', 'Größe €, 容器, 🐳', ''])(
    'leaves %j as it is',
    (text) => {
      expect(shown([text, 1, null])).toEqual([text, 1, null]);
    },
  );
});
