/**
 * `npm run bench`: Plimsoll beside bare API calls and beside Docker Swarm, on the same engines, in one run. Needs root
 * (scripts/lab makes the hosts). See docs/benchmarks.md.
 */
import { labUp } from '../support/lab.ts';
import { benchPlace } from './bench-place.ts';
import { type Contestant, hostConfigOf, measure } from './cluster/round.ts';
import { readOptions } from './options.ts';
import { printReport, sayOnStderr } from './output.ts';
import { Figures } from './report.ts';

const values = readOptions('bench', { rounds: 5, only: 'plimsoll,bare,swarm', format: 'table' });

/** Taking turns in every round, so that a machine that gets slower does so for all of them. */
const contestants = values.only.split(',') as Contestant[];
const figures = new Figures(sayOnStderr);
const lab = await labUp({ engine: 'plimsoll', place: benchPlace() });
try {
  const hostConfig = await hostConfigOf(lab);
  for (let round = 1; round <= values.rounds; round += 1) {
    sayOnStderr(`round ${round}`);
    for (const contestant of contestants) await measure(contestant, hostConfig, figures);
  }
} finally {
  await lab.down();
}
printReport(figures.report('bench: seconds until done, three hosts'), values.format);
