/** The shortest histories that once broke something: regressions/*.json, each named after what went wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { History } from './happenings.ts';
import { run } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

const folder = join(import.meta.dirname, 'regressions');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

withoutMetrics();

test.each(names)('%s breaks nothing any more', async (name) => {
  const history = History.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));

  const { violation } = await run(history);

  expect(violation).toBe(undefined);
});
