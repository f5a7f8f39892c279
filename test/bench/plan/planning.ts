/** What the planner does in clusters of a size: first placement, nothing to do, loss of a node. Pure. */
import { type Action, actionsOf } from '../../../coordinator/plan/actions.ts';
import { type Planner, plan } from '../../../coordinator/plan/plan.ts';
import { PlanWorld } from '../../support/plan-world.ts';
import type { Figures } from '../report.ts';

export interface PlanSize {
  readonly nodes: number;
  readonly tasks: number;
}

export interface PlanningOptions {
  readonly size: PlanSize;
  readonly rounds: number;
  readonly figures: Figures;
  /** CPU time so far: other programs of the machine shall not count. */
  readonly cpuMs: () => number;
}

/** A service takes room and has to be placed by a constraint, as most do. */
const template = {
  ContainerSpec: { Image: 'good' },
  Resources: { Reservations: { NanoCPUs: 10_000_000, MemoryBytes: 16 << 20 } },
  Placement: { Constraints: ['node.platform.os==linux'] },
};

/** Measures one size, every round in a cluster of its own. Throws when the planner does not do what it has to. */
export function measurePlanning({ size, rounds, figures, cpuMs }: PlanningOptions): void {
  const column = `${size.nodes} nodes`;
  const timed = (world: PlanWorld, planner: Planner): [Action[], number] => {
    const snapshot = world.snapshot();
    const before = cpuMs();
    const made = planner(snapshot, world.now);
    return [actionsOf(made), cpuMs() - before];
  };
  for (let round = 0; round < rounds; round += 1) {
    const world = new PlanWorld();
    const nodeIds = Array.from({ length: size.nodes }, (_, index) => world.addNode(`node-${index}`, roomy));
    world.addService('web', size.tasks, { TaskTemplate: template });
    const [fresh, freshMs] = timed(world, plan);
    requireCount('tasks made for a new service', fresh.filter(isCreation).length, size.tasks);
    world.converge();
    const [settled, settledMs] = timed(world, plan);
    requireCount('actions in a settled cluster', settled.length, 0);
    const onLost = [...world.tables.tasks.values()].filter(({ value }) => value.nodeId === nodeIds[0]).length;
    world.setState(nodeIds[0] ?? '', 'lost');
    const [failover, failoverMs] = timed(world, plan);
    requireCount('stand-ins for a lost node', failover.filter(isCreation).length, onLost);
    figures.add(`place a service of ${size.tasks} replicas`, column, freshMs, 'ms CPU');
    figures.add('tasks placed per second', column, (size.tasks / freshMs) * 1000, '1/s');
    figures.add(`look over ${size.tasks} settled tasks`, column, settledMs, 'ms CPU');
    figures.add('replace the tasks of a lost node', column, failoverMs, 'ms CPU');
  }
}

const roomy = { nanoCpus: 64e9, memoryBytes: 512 * 2 ** 30 };

function isCreation(action: { readonly kind: string }): boolean {
  return action.kind === 'create-task';
}

function requireCount(what: string, actual: number, wanted: number): void {
  if (actual !== wanted) throw new Error(`The planner is wrong, not fast: ${what}: ${actual}, wanted is ${wanted}`);
}
