/** `npm run bench:plan`: the planner alone, without any I/O, with 10 to 5,000 nodes. See docs/benchmarks.md. */
import { readOptions, wholeNumbers } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measurePlanning } from './planning.ts';

const values = readOptions('bench:plan', { nodes: '10,100,1000,5000', tasks: 1000, rounds: 5, format: 'table' });

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const figures = new Figures(sayOnStderr);
for (const nodes of wholeNumbers('nodes', values.nodes)) {
  const size = { nodes, tasks: values.tasks };
  // The just-in-time compiler needs a round of its own.
  measurePlanning({ size: { nodes: 10, tasks: 100 }, rounds: 1, figures: new Figures(), cpuMs });
  measurePlanning({ size, rounds: values.rounds, figures, cpuMs });
}
printReport(figures.report('bench:plan: placement, pure'), values.format);
