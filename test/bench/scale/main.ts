/** `npm run bench:scale`: the planner at 5,000 nodes and 100,000 tasks, pure, on one core. See docs/benchmarks.md. */
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measurePlanningAtScale } from './planning.ts';

const values = readOptions('bench:scale', { nodes: 5000, tasks: 100_000, rounds: 1, format: 'table' });

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const figures = new Figures(sayOnStderr);
measurePlanningAtScale({ nodes: 50, services: 50, replicas: 20 }, { figures: new Figures(), cpuMs });
for (let round = 0; round < values.rounds; round += 1) {
  const { nodes, tasks } = values;
  measurePlanningAtScale({ nodes, services: tasks / 100, replicas: 100 }, { figures, cpuMs });
  measurePlanningAtScale({ nodes, services: tasks, replicas: 1 }, { figures, cpuMs });
}
printReport(figures.report('bench:scale: planning, pure'), values.format);
