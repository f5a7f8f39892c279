/** One service under a load that steps from 1x to 4x, and is gone in the end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import type { Figures } from '../report.ts';
import { timesDown } from './counts.ts';
import { OpenLoad } from './open-load.ts';
import { countsThatStay } from './prediction.ts';
import { MOST_REPLICAS, type Source, shortDownWindow } from './sources.ts';
import type { Stage } from './stage.ts';

const PORT = 8_095;
const LOOK_MS = 50;
/** At the load before the step: longer than a replica warms up, and than rates look back. */
const BEFORE_MS = 20_000;
const AFTER_MS = 40_000;
const GONE_MS = 120_000;
const AT_FOUR_TIMES = 4;

export async function measureStep(stage: Stage, source: Source, figures: Figures): Promise<void> {
  const { name: service } = source;
  const { cluster } = stage;
  const options = [...source.options, ...shortDownWindow, '--publish', `${PORT}:80`];
  await cluster.create(service, ...options, '--no-healthcheck', 'plimsoll/hello:1');
  await cluster.settled(service, 1);
  const load = new OpenLoad(stage.urls(PORT, source.path));
  try {
    load.rate = source.rate;
    await delay(BEFORE_MS);
    // A rate that is new is taken for more than it is.
    const before = await untilOne(stage, service);
    const counts = await stepped(stage, source, load, figures);
    const loadInReplicas = await stage.measured(source.load(service));
    load.rate = 0;
    const down = await untilLeast(stage, service);
    tell(figures, source, { before, counts, loadInReplicas, down });
  } finally {
    load.stop();
    await removed(cluster, service);
  }
}

/** Takes a service away, and waits until nothing of it is left to disturb the next. */
export async function removed(cluster: Cluster, service: string): Promise<void> {
  await cluster.docker('service', 'rm', service);
  await eventually(async () => (await cluster.serviceContainers(service)).length === 0, {
    timeoutMs: 60_000,
    intervalMs: 200,
    what: `${service} to be gone`,
  });
}

/** Counts of replicas wanted, as they were seen. */
async function stepped(stage: Stage, source: Source, load: OpenLoad, figures: Figures): Promise<number[]> {
  const ready = (await stage.view(source.name)).ready;
  load.rate = source.rate * AT_FOUR_TIMES;
  const startedMs = performance.now();
  const counts: number[] = [];
  let isFirstTold = false;
  while (performance.now() - startedMs < AFTER_MS) {
    const view = await stage.view(source.name);
    if (counts.at(-1) !== view.replicas) counts.push(view.replicas);
    if (!isFirstTold && view.ready > ready) {
      const seconds = (performance.now() - startedMs) / 1_000;
      figures.add('first added replica ready', source.name, seconds, 's', '6 cpu, 3 connections, 15 alert');
      isFirstTold = true;
    }
    await delay(LOOK_MS);
  }
  return counts;
}

async function untilOne(stage: Stage, service: string): Promise<number> {
  const one = async () => ((await stage.view(service)).replicas === 1 ? 1 : undefined);
  return eventually(one, { timeoutMs: GONE_MS, intervalMs: 200, what: `${service} to need one replica` });
}

async function untilLeast(stage: Stage, service: string): Promise<number[]> {
  const counts: number[] = [];
  const look = async () => {
    const { replicas } = await stage.view(service);
    if (counts.at(-1) !== replicas) counts.push(replicas);
    return replicas === 1;
  };
  await eventually(look, { timeoutMs: GONE_MS, intervalMs: 100, what: `${service} to be at its least` });
  return counts;
}

interface Seen {
  readonly before: number;
  readonly counts: readonly number[];
  /** At the end of the load: how many replicas would be at their target just so. */
  readonly loadInReplicas: number;
  readonly down: readonly number[];
}

function tell(figures: Figures, { name }: Source, { before, counts, loadInReplicas, down }: Seen): void {
  const last = counts.at(-1) ?? before;
  const predicted = countsThatStay(loadInReplicas, MOST_REPLICAS);
  figures.add('replicas before the step', name, before, '', '1');
  figures.add('load 40 s after it, in replicas at their target', name, loadInReplicas, '', '3.3 to 4');
  figures.add('fewest replicas the formula leaves at that load', name, Math.min(...predicted), '');
  figures.add('most replicas the formula leaves at that load', name, Math.max(...predicted), '');
  figures.add('replicas 40 s after it', name, last, '', 'one the formula leaves');
  figures.add('most replicas there were', name, Math.max(...counts), '');
  figures.add('times the count went down under load', name, timesDown(counts), '', 'at most 1');
  figures.add('times the count went up when the load was gone', name, timesDown(down.toReversed()), '', '0');
}
