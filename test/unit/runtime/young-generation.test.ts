import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** In processes of their own, which run no TypeScript: what is under test is that this Node's V8 still reads the flag. */
it('the flag of keepYoungGenerationSmall() keeps the new space from growing in this Node', () => {
  const script = `
    const v8 = require('node:v8');
    if (process.argv[1] === 'small') v8.setFlagsFromString('--semi-space-growth-factor=1');
    const kept = [];
    for (let i = 0; i < 400_000; i += 1) kept.push({ text: 'x' + i });
    const space = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    console.log(space.space_size / 2 ** 20);
  `;
  const newSpaceMiB = (how: string) =>
    Number(execFileSync(process.execPath, ['-e', script, how], { encoding: 'utf8', env: {} }));

  expect(newSpaceMiB('small')).toBeLessThanOrEqual(2);
  expect(newSpaceMiB('usual')).toBeGreaterThan(2);
});
