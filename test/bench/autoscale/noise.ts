/** Services with the default windows under a load that is never twice the same: they must not go down only to come up again. */
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../simulation/world/random.ts';
import type { Figures } from '../report.ts';
import { reversals } from './counts.ts';
import { noiseLevel } from './noise-level.ts';
import { OpenLoad } from './open-load.ts';
import { type Source, sources } from './sources.ts';
import type { Stage } from './stage.ts';
import { removed } from './step.ts';

const NOISY = ['cpu', 'connections'];
const FIRST_PORT = 8_096;
const SECOND_MS = 1_000;
const SEED = 0x10ad;

interface Watched {
  readonly source: Source;
  readonly load: OpenLoad;
  /** Counts of replicas wanted, as they were seen. */
  readonly counts: number[];
  leastReady: number;
}

export async function measureNoise(stage: Stage, seconds: number, figures: Figures): Promise<void> {
  const watched = await Promise.all(
    sources.filter(({ name }) => NOISY.includes(name)).map((source, index) => begin(stage, source, FIRST_PORT + index)),
  );
  const random = new Random(SEED);
  try {
    for (let second = 0; second < seconds; second += 1) {
      const level = noiseLevel(random);
      for (const each of watched) each.load.rate = each.source.rate * level;
      await Promise.all([...watched.map((each) => look(stage, each)), delay(SECOND_MS)]);
    }
  } finally {
    for (const { load } of watched) load.stop();
    for (const { source } of watched) await removed(stage.cluster, serviceOf(source));
  }
  for (const each of watched) tell(figures, each, seconds);
}

function serviceOf({ name }: Source): string {
  return `noise-${name}`;
}

async function begin(stage: Stage, source: Source, port: number): Promise<Watched> {
  const { cluster } = stage;
  const service = serviceOf(source);
  await cluster.create(service, ...source.options, '--publish', `${port}:80`, '--no-healthcheck', 'plimsoll/hello:1');
  await cluster.settled(service, 1);
  return {
    source,
    load: new OpenLoad(stage.urls(port, source.path)),
    counts: [],
    leastReady: Number.POSITIVE_INFINITY,
  };
}

async function look(stage: Stage, watched: Watched): Promise<void> {
  const { replicas, ready } = await stage.view(serviceOf(watched.source));
  if (watched.counts.at(-1) !== replicas) watched.counts.push(replicas);
  watched.leastReady = Math.min(watched.leastReady, ready);
}

function tell(figures: Figures, { source, counts, leastReady }: Watched, seconds: number): void {
  const column = `noise, by ${source.name}`;
  figures.add('seconds of noisy load', column, seconds, 's', '600');
  figures.add('changes of the count', column, counts.length - 1, '');
  figures.add('times it went up after it had gone down', column, reversals(counts), '', '0');
  figures.add('fewest ready', column, leastReady, '', '1 or more');
  figures.add('most replicas', column, Math.max(...counts), '');
}
