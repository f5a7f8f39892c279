import { beforeEach, describe, expect, test } from 'vitest';
import { callUsages, nodeUsages, serviceUsages, taskUsages } from '../../../../../coordinator/api/native/usage-view.ts';
import type { HeardUsage } from '../../../../../coordinator/usage/usage-book.ts';
import type { TaskUsage } from '../../../../../model/messages.ts';
import type { TaskRecord } from '../../../../../model/task-record.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

describe('views of usage', () => {
  let world: PlanWorld;
  let quiet: string;
  let busy: string;
  let serviceId: string;
  let fresh: Map<string, HeardUsage>;

  beforeEach(() => {
    world = new PlanWorld();
    quiet = world.addNode('quiet');
    busy = world.addNode('busy');
    world.addNode('away');
    serviceId = world.addService('web', 2);
    world.addService('idle', 0);
    world.converge();
    fresh = new Map();
  });

  function hear(nodeId: string, cpuCores: number, tasks: readonly TaskUsage[] = []): void {
    const usage = {
      nodeId,
      cpuCores,
      cpuTotalCores: 4,
      memoryBytes: 1,
      memoryTotalBytes: 2,
      load1: 0,
      tasks: [...tasks],
    };
    fresh.set(nodeId, { usage, heardAtMs: 0 });
  }

  function usageOf(task: TaskRecord, cpuCores: number): TaskUsage {
    return { taskId: task.id, serviceId, cpuCores, memoryBytes: 100, receiveBytesPerSecond: 5 };
  }

  test('nodes: the busiest first, those not heard last and without numbers', () => {
    hear(quiet, 0.1);
    hear(busy, 3);

    expect(nodeUsages(world.snapshot(), fresh).map(({ name, cpuCores }) => [name, cpuCores])).toEqual([
      ['busy', 3],
      ['quiet', 0.1],
      ['away', undefined],
    ]);
  });

  test('tasks: by name and node, the busiest first', () => {
    const [first, second] = world.live(serviceId).sort((a, b) => a.slot - b.slot);
    if (!first || !second) throw new Error('two tasks were to run');
    for (const [task, cores] of [
      [first, 0.5],
      [second, 1.5],
    ] as const) {
      const others = fresh.get(task.nodeId)?.usage.tasks ?? [];
      hear(task.nodeId, 1, [...others, usageOf(task, cores)]);
    }

    expect(taskUsages(world.snapshot(), fresh)).toMatchObject([
      { name: 'web.2', cpuCores: 1.5 },
      { name: 'web.1', cpuCores: 0.5 },
    ]);
    expect(serviceUsages(world.snapshot(), fresh)).toMatchObject([
      { name: 'web', tasks: 2, desired: 2, cpuCores: 2, memoryBytes: 200, receiveBytesPerSecond: 10 },
      { name: 'idle', tasks: 0, desired: 0, cpuCores: undefined },
    ]);
  });

  test('a node is not believed about a task that another node has', () => {
    const [task] = world.live(serviceId);
    if (!task) throw new Error('a task was to run');
    const liar = [quiet, busy].find((nodeId) => nodeId !== task.nodeId) ?? '';
    hear(liar, 1, [usageOf(task, 99)]);

    expect(taskUsages(world.snapshot(), fresh)).toEqual([]);
  });

  test('calls: sums over the nodes, by name, and none to a service that is gone', () => {
    const calls = [
      { from: serviceId, to: serviceId, connectionsPerSecond: 1 },
      { to: serviceId, connectionsPerSecond: 3 },
      { from: serviceId, to: derivedId('service', 'gone'), connectionsPerSecond: 9 },
    ];
    for (const nodeId of [quiet, busy]) {
      hear(nodeId, 1);
      const heard = fresh.get(nodeId);
      if (heard) fresh.set(nodeId, { ...heard, usage: { ...heard.usage, calls } });
    }

    expect(callUsages(world.snapshot(), fresh)).toEqual([
      { to: 'web', connectionsPerSecond: 6 },
      { from: 'web', to: 'web', connectionsPerSecond: 2 },
    ]);
  });
});
