/**
 * `npm run bench:autoscale`: how soon services follow a load that steps from 1x to 4x, by processor time, by connections, and
 * through Prometheus and Alertmanager; how many replicas they end with; and whether a noisy load has them flap. See
 * docs/benchmarks.md.
 */
import { benchPlace } from '../bench-place.ts';
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measureNoise } from './noise.ts';
import { sources } from './sources.ts';
import { Stage } from './stage.ts';
import { measureStep } from './step.ts';

const values = readOptions('bench:autoscale', {
  rounds: 5,
  only: 'cpu,connections,alert',
  'noise-minutes': 10,
  format: 'table',
});

const wanted = values.only.split(',');
const chosen = sources.filter(({ name }) => wanted.includes(name));
const figures = new Figures(sayOnStderr);
const stage = await Stage.up(benchPlace(), chosen.map(({ name, rules }) => rules?.(name) ?? '').join(''));
try {
  for (let round = 1; round <= values.rounds; round += 1) {
    for (const source of chosen) await measureStep(stage, source, figures);
  }
  if (wanted.includes('noise')) await measureNoise(stage, values['noise-minutes'] * 60, figures);
} finally {
  await stage.down();
}
printReport(figures.report('bench:autoscale'), values.format);
