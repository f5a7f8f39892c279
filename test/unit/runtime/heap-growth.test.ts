import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In processes of their own, which run no TypeScript: what is under test is that this Node's V8 still reads the flag. */
it('the flag of keepHeapCompact() makes this Node collect its old generation earlier', () => {
  const script = `
    const v8 = require('node:v8');
    if (process.argv[1] === 'compact') v8.setFlagsFromString('--heap-growing-percent=50');
    const kept = [];
    let largestBytes = 0;
    for (let i = 0; i < 1_500_000; i += 1) {
      kept[i % 200_000] = { words: [i, i + 1, i + 2, i + 3], text: 'x' + i };
      if (i % 1_000 === 0) largestBytes = Math.max(largestBytes, v8.getHeapStatistics().used_heap_size);
    }
    console.log(largestBytes / 2 ** 20);
  `;
  const largestHeapMiB = (how: string) =>
    Number(execFileSync(process.execPath, ['-e', script, how], { encoding: 'utf8', env: {} }));

  expect(largestHeapMiB('compact')).toBeLessThan(0.75 * largestHeapMiB('usual'));
});
