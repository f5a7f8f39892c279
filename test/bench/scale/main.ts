/**
 * `npm run bench:scale`: the planner at 5,000 nodes and 100,000 tasks, pure, on one core; and tasks through a real NATS server
 * to 1,000 simulated agents. See docs/benchmarks.md.
 */
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';
import { measureEndToEnd } from './end-to-end.ts';
import { measurePlanningAtScale } from './planning.ts';

const values = readOptions('bench:scale', {
  nodes: 5000,
  tasks: 100_000,
  agents: 1000,
  'agent-tasks': 10_000,
  rounds: 1,
  only: 'planning,bus',
  format: 'table',
});

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measurePlanning(figures: Figures): void {
  const { nodes, tasks } = values;
  measurePlanningAtScale({ nodes, services: tasks / 100, replicas: 100 }, { figures, cpuMs });
  measurePlanningAtScale({ nodes, services: tasks, replicas: 1 }, { figures, cpuMs });
}

async function measureBus(figures: Figures): Promise<void> {
  const { agents, 'agent-tasks': tasks } = values;
  await measureEndToEnd({ agents, services: tasks / 100, replicas: 100 }, figures);
}

const parts = values.only.split(',');
const figures = new Figures(sayOnStderr);
if (parts.includes('planning')) {
  measurePlanningAtScale({ nodes: 50, services: 50, replicas: 20 }, { figures: new Figures(), cpuMs });
}
for (let round = 0; round < values.rounds; round += 1) {
  if (parts.includes('planning')) measurePlanning(figures);
  if (parts.includes('bus')) await measureBus(figures);
}
printReport(figures.report('bench:scale: planning, pure; tasks through NATS'), values.format);
