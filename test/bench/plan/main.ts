/** `npm run bench:plan`: the planner alone, without any I/O, with 10 to 5,000 nodes. See docs/benchmarks.md. */
import { parseArgs } from 'node:util';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measurePlanning } from './planning.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '10,100,1000,5000' },
    tasks: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    format: { type: 'string', default: 'table' },
  },
});

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const figures = new Figures(sayOnStderr);
for (const nodes of values.nodes.split(',').map(Number)) {
  const size = { nodes, tasks: Number(values.tasks) };
  // The just-in-time compiler needs a round of its own.
  measurePlanning({ size: { nodes: 10, tasks: 100 }, rounds: 1, figures: new Figures(), cpuMs });
  measurePlanning({ size, rounds: Number(values.rounds), figures, cpuMs });
}
printReport(figures.report('bench:plan: placement, pure'), values.format);
