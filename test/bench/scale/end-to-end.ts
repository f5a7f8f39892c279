/** Tasks a second from the wish to the agent's report, through a real NATS server, and what of the time each part takes. */
import type { Figures } from '../report.ts';
import { Fleet, type PartCosts } from './fleet.ts';

export interface EndToEndScale {
  readonly agents: number;
  readonly services: number;
  readonly replicas: number;
}

export async function measureEndToEnd({ agents, services, replicas }: EndToEndScale, figures: Figures): Promise<void> {
  const column = `${services} x ${replicas} to ${agents} agents`;
  const fleet = await Fleet.up(agents);
  try {
    const before = fleet.costs();
    const seconds = await fleet.deploy(services, replicas);
    const costs = difference(fleet.costs(), before);
    const tasks = services * replicas;
    figures.add('tasks per second, end to end', column, tasks / seconds, '1/s', '1,500');
    const totalMs = costs.coordinator + costs.nats + costs.agents;
    for (const [part, ms] of Object.entries(costs)) {
      figures.add(`share of the processor time: ${part}`, column, (ms / totalMs) * 100, '%');
      figures.add(`processor time per task: ${part}`, column, ms / tasks, 'ms');
    }
  } finally {
    await fleet.down();
  }
}

function difference(after: PartCosts, before: PartCosts): PartCosts {
  return {
    coordinator: after.coordinator - before.coordinator,
    nats: after.nats - before.nats,
    agents: after.agents - before.agents,
  };
}
