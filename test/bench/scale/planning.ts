/** What the planner does at the size of 5,000 nodes and 100,000 tasks: many groups, many single tasks, the loss of a node. */
import { type Action, actionsOf } from '../../../coordinator/plan/actions.ts';
import { planningAgain } from '../../../coordinator/plan/plan.ts';
import { PlanWorld } from '../../support/plan-world.ts';
import type { Figures } from '../report.ts';

export interface PlanningScale {
  readonly nodes: number;
  /** How many services there are, and how many replicas each has. */
  readonly services: number;
  readonly replicas: number;
}

interface Bench {
  readonly figures: Figures;
  /** CPU time so far: other programs of the machine shall not count. */
  readonly cpuMs: () => number;
}

const roomy = { nanoCpus: 64e9, memoryBytes: 512 * 2 ** 30 };
const template = {
  ContainerSpec: { Image: 'good' },
  Resources: { Reservations: { NanoCPUs: 10_000_000, MemoryBytes: 16 << 20 } },
  Placement: { Constraints: ['node.platform.os==linux'] },
};

/** Places every service in one plan, then loses a node. Throws when the planner does not do what it has to. */
export function measurePlanningAtScale(scale: PlanningScale, { figures, cpuMs }: Bench): void {
  const column = `${scale.services} x ${scale.replicas} on ${scale.nodes} nodes`;
  const world = new PlanWorld();
  const nodeIds = Array.from({ length: scale.nodes }, (_, index) => world.addNode(`node-${index}`, roomy));
  for (let index = 0; index < scale.services; index += 1) {
    world.addService(`service-${index}`, scale.replicas, { TaskTemplate: template });
  }
  const planner = planningAgain();
  const timed = (): [Action[], number] => {
    const snapshot = world.snapshot();
    const before = cpuMs();
    const made = planner(snapshot, world.now);
    return [actionsOf(made), cpuMs() - before];
  };
  const tasks = scale.services * scale.replicas;
  const [placed, placedMs] = timed();
  requireCount('tasks made', placed.filter(isCreation).length, tasks);
  figures.add('tasks placed per second of CPU', column, (tasks / placedMs) * 1000, '1/s');
  world.carryOutAll(placed);
  world.runAgents();
  timed();
  world.runAgents();
  const [settled, settledMs] = timed();
  requireCount('actions in a settled cluster', settled.length, 0);
  figures.add('plan with nothing to do', column, settledMs, 'ms CPU');
  const [lost = ''] = nodeIds;
  const onLost = [...world.tables.tasks.values()].filter(({ value }) => value.nodeId === lost).length;
  world.setState(lost, 'lost');
  const [standIns, lossMs] = timed();
  requireCount('stand-ins for a lost node', standIns.filter(isCreation).length, onLost);
  figures.add('plan after the loss of one node', column, lossMs, 'ms CPU', 'under 100');
}

function isCreation(action: Action): boolean {
  return action.kind === 'create-task';
}

function requireCount(what: string, actual: number, wanted: number): void {
  if (actual !== wanted) throw new Error(`The planner is wrong, not fast: ${what}: ${actual}, wanted is ${wanted}`);
}
