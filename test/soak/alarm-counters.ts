/** What the daemons themselves count as trouble, summed over their restarts. */
import type { Lab } from '../support/lab.ts';
import { metricValue, scrape } from '../support/prometheus-text.ts';

export const alarmMetrics = [
  'plimsoll_node_losses_total',
  'plimsoll_task_failures_total',
  'plimsoll_agent_task_restarts_total',
] as const;
export type AlarmMetric = (typeof alarmMetrics)[number];

export class AlarmCounters {
  private readonly urls: readonly string[];
  private readonly found = new Set<AlarmMetric>();
  private readonly last = new Map<string, number>();
  private readonly sums = new Map<AlarmMetric, number>();

  constructor(lab: Lab) {
    const coordinators = lab.hosts.slice(0, 2).map(({ address }) => `http://${address}:7700/metrics`);
    this.urls = [...coordinators, ...lab.hosts.map(({ address }) => `http://${address}:7701/metrics`)];
  }

  /** Reads every daemon; one that does not answer is read next time. What there was at the first reading does not count. */
  async read(): Promise<void> {
    await Promise.all(this.urls.map((url) => this.readOne(url).catch(() => undefined)));
  }

  /** Counted since the first reading. Throws when no daemon has such a metric: silence would look like peace. */
  sum(name: AlarmMetric): number {
    if (!this.found.has(name)) throw new Error(`No daemon of the lab tells ${name}`);
    return this.sums.get(name) ?? 0;
  }

  private async readOne(url: string): Promise<void> {
    const page = await scrape(url);
    for (const name of alarmMetrics) {
      if (!page.includes(`# TYPE ${name} `)) continue;
      this.found.add(name);
      const value = metricValue(page, name);
      const key = `${name} ${url}`;
      const before = this.last.get(key) ?? value;
      // Less than before: the daemon began to count anew.
      this.sums.set(name, (this.sums.get(name) ?? 0) + (value < before ? value : value - before));
      this.last.set(key, value);
    }
  }
}
