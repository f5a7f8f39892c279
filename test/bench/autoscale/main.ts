/**
 * `npm run bench:autoscale`: how soon services follow a load that steps from 1x to 4x, by processor time, by connections, and
 * through Prometheus and Alertmanager; and how many replicas they end with. See docs/benchmarks.md.
 */
import { benchPlace } from '../bench-place.ts';
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { sources } from './sources.ts';
import { Stage } from './stage.ts';
import { measureStep } from './step.ts';

const values = readOptions('bench:autoscale', { rounds: 5, only: 'cpu,connections,alert', format: 'table' });

const wanted = values.only.split(',');
const chosen = sources.filter(({ name }) => wanted.includes(name));
const figures = new Figures(sayOnStderr);
const stage = await Stage.up(benchPlace(), chosen.map(({ name, rules }) => rules?.(name) ?? '').join(''));
try {
  for (let round = 1; round <= values.rounds; round += 1) {
    for (const source of chosen) await measureStep(stage, source, figures);
  }
} finally {
  await stage.down();
}
printReport(figures.report('bench:autoscale: load from 1x to 4x'), values.format);
