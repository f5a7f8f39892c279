/**
 * `npm run bench:agent`: what the agent costs with 0, 30 and 200 containers on one real engine, beside the bare reads of
 * the same files and beside `docker stats`. Needs root (scripts/lab makes a host). See docs/benchmarks.md.
 */
import { readOptions, wholeNumbers } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { BenchHost } from './bench-host.ts';
import { measureIdle } from './idle-cost.ts';
import { measureBareReads, measureEngineStats, measureScrapes, recordScrape } from './scrape-cost.ts';

const values = readOptions('bench:agent', { sizes: '0,30,200', scrapes: 41, 'idle-minutes': 3, format: 'table' });
const sizes = wholeNumbers('sizes', values.sizes);

const HEALTH_INTERVAL_S = 10;
const STATS_SWEEPS = 5;

/** What the agent is to reach, by number of containers. */
const scrapeGoals: Readonly<Record<number, { cpu: string; stall: string }>> = {
  30: { cpu: '30: 25; 200: 130 and 1.8 x the bare reads', stall: '30: 5; 200: 10' },
  200: { cpu: '30: 25; 200: 130 and 1.8 x the bare reads', stall: '30: 5; 200: 10' },
};
const idleGoals = { cpu: '30: 1', memory: '30: 90' };

async function measureSize(host: BenchHost, size: number, figures: Figures): Promise<void> {
  const column = `${size} containers`;
  const { scrapes } = values;
  const checked = Math.floor(size / 3);
  await host.run({
    plain: { replicas: size - checked },
    checked: { replicas: checked, healthIntervalS: HEALTH_INTERVAL_S },
  });
  const minutes = values['idle-minutes'];
  if (minutes > 0) await measureIdle(host, { minutes, column, goals: size === 30 ? idleGoals : {}, figures });
  const operations = await recordScrape(host);
  const probe = await host.restartAgentProbed();
  try {
    await measureScrapes(host, probe, { scrapes, column, goals: scrapeGoals[size] ?? {}, figures });
  } finally {
    probe.close();
  }
  await measureBareReads(host, operations, { passes: scrapes, column, figures });
  await measureEngineStats(host, { sweeps: STATS_SWEEPS, column, figures });
}

const figures = new Figures(sayOnStderr);
const host = await BenchHost.up();
try {
  for (const size of sizes) await measureSize(host, size, figures);
} finally {
  await host.down();
}
printReport(figures.report('bench:agent: cost of the agent of one host'), values.format);
