/** What an agent costs by just being there, scraped as Prometheus scrapes it. */
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMsOf, rssBytesOf } from '../process-cost.ts';
import type { Figures } from '../report.ts';
import type { BenchHost } from './bench-host.ts';

const SCRAPE_INTERVAL_MS = 15_000;
/** What starting costs is over by then, and the just-in-time compiler has done its work, as in an agent that has run for minutes. */
const WARM_UP_SCRAPES = 20;
const WARM_UP_GAP_MS = 3_000;

export interface IdleOptions {
  readonly minutes: number;
  readonly column: string;
  readonly goals: { readonly cpu?: string; readonly memory?: string };
  readonly figures: Figures;
}

/** One sample per scrape interval, of an agent process without any probe. */
export async function measureIdle(host: BenchHost, options: IdleOptions): Promise<void> {
  const { column, goals, figures } = options;
  await host.restartAgent();
  for (let done = 0; done < WARM_UP_SCRAPES; done += 1) {
    await host.scrape();
    await delay(WARM_UP_GAP_MS);
  }
  const pid = host.agentPid();
  const endMs = performance.now() + options.minutes * 60_000;
  while (performance.now() < endMs) {
    const begin = { cpuMs: cpuMsOf([pid]), atMs: performance.now() };
    await host.scrape();
    await delay(SCRAPE_INTERVAL_MS - (performance.now() - begin.atMs));
    const share = (cpuMsOf([pid]) - begin.cpuMs) / (performance.now() - begin.atMs);
    figures.add('idle, scraped every 15 s: CPU', column, share * 100, '% of a core', goals.cpu);
    figures.add('idle, scraped every 15 s: memory (RSS)', column, rssBytesOf(pid) / 1e6, 'MB', goals.memory);
  }
}
