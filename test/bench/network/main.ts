/**
 * `npm run bench:network`: what virtual addresses, the routing mesh and the overlay cost beside the plain ways and beside
 * Docker Swarm's overlay, and how soon a killed task is sent nothing more. See docs/benchmarks.md.
 */
import { describeLab, type Lab, labCommandAt, labUp } from '../../support/lab.ts';
import { benchPlace } from '../bench-place.ts';
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measureKills } from './kill.ts';
import { measureOverlay } from './overlay-throughput.ts';
import { ensurePrograms } from './programs.ts';
import { Stage } from './stage.ts';
import { compareWays, makeWays, PLIMSOLL } from './ways.ts';

const values = readOptions('bench:network', {
  rounds: 2,
  seconds: 2,
  kills: 3,
  only: 'ways,overlay,kills',
  format: 'table',
});

const { rounds, seconds, kills } = values;
const parts = values.only.split(',');
const figures = new Figures(sayOnStderr);

async function onStage(lab: Lab, work: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = new Stage(lab);
  try {
    await work(stage);
  } finally {
    await stage.clear();
  }
}

async function measureSwarm(): Promise<void> {
  const command = labCommandAt(benchPlace());
  await command('switch', '--engine', 'swarm');
  const swarm = describeLab(await command('env'), command);
  await onStage(swarm, async (stage) => {
    await stage.makeNetwork();
    await measureOverlay(stage, { rounds, seconds, column: 'Swarm' }, figures);
  });
}

async function measurePlimsoll(lab: Lab): Promise<void> {
  await onStage(lab, (stage) => stage.makeNetwork());
  if (parts.includes('ways'))
    await onStage(lab, async (stage) => compareWays(await makeWays(stage), rounds, seconds, figures));
  if (parts.includes('overlay'))
    await onStage(lab, (stage) => measureOverlay(stage, { rounds, seconds, column: PLIMSOLL }, figures));
  // The last: it ends the coordinator.
  if (parts.includes('kills')) await onStage(lab, (stage) => measureKills(stage, kills, figures));
}

await ensurePrograms();
const lab = await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, place: benchPlace() });
try {
  await measurePlimsoll(lab);
  if (parts.includes('overlay')) await measureSwarm();
} finally {
  await lab.down();
}
printReport(figures.report('bench:network'), values.format);
