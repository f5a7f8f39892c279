import { describe, expect, it } from 'vitest';
import { formatTable } from '../../../cli/table.ts';

describe('formatTable()', () => {
  it('aligns columns as docker does: at least 10 wide, 3 blanks between, none at the end of a line', () => {
    const text = formatTable(
      ['NODE', 'STATE', 'WHY'],
      [
        ['a-rather-long-name', 'ready', ''],
        ['b', 'lost', 'no beat'],
      ],
    );

    expect(text).toBe(
      [
        'NODE                 STATE     WHY',
        'a-rather-long-name   ready',
        'b                    lost      no beat',
        '',
      ].join('\n'),
    );
  });

  it('gives colour codes no room', () => {
    const coloured = formatTable(['STATE', 'WHY'], [['\u001b[31mlost\u001b[39m', 'x']]);

    expect(coloured.split('\n')[1]).toBe('\u001b[31mlost\u001b[39m      x');
  });
});
