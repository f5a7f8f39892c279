import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMetrics } from '../../../runtime/metrics.ts';
import { metricValue } from '../../support/prometheus-text.ts';

it('process_open_fds counts the files this process has open', async () => {
  const registry = createMetrics('test', '0.0.0');
  const count = async () => metricValue(await registry.metrics(), 'process_open_fds');
  const before = await count();
  const files = Array.from({ length: 200 }, () => openSync('/dev/null', 'r'));

  const during = await count();
  for (const file of files) closeSync(file);

  // The test's own runner opens and closes files too.
  expect(during - before).toBeGreaterThan(150);
  expect(during - before).toBeLessThan(250);
});
