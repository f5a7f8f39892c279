import { describe, expect, it } from 'vitest';
import { CrewWatch } from '../../../../coordinator/autoscale/crew-watch.ts';
import type { HeardUsage } from '../../../../coordinator/usage/usage-book.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { aStatusRecord } from '../../../support/docker-api-server.ts';
import { aService, aSnapshot } from '../../../support/snapshots.ts';
import { aTask } from '../../../support/tasks.ts';

const own = derivedId('node', 'own');
const other = derivedId('node', 'other');
const service = aService();
const task = aTask({ serviceId: service.id, nodeId: own });
const snapshot = aSnapshot({
  services: [service],
  tasks: [task],
  statuses: [aStatusRecord(task, { ready: true })],
  nodes: { [own]: 'ready', [other]: 'ready' },
});

function saying(nodeId: string, cpuCores: number): readonly [string, HeardUsage] {
  const host = { nodeId, cpuTotalCores: 4, memoryBytes: 1, memoryTotalBytes: 2, load1: 0 };
  const tasks = [{ taskId: task.id, serviceId: service.id, cpuCores, memoryBytes: 1 }];
  return [nodeId, { usage: { ...host, tasks }, heardAtMs: 0 }];
}

describe('what replicas use', () => {
  it.each([
    ['first', [saying(other, 4), saying(own, 0.5)]],
    ['last', [saying(own, 0.5), saying(other, 4)]],
  ])('is what their own node says: another one spoke %s', (_, heard) => {
    const crew = new CrewWatch().look(snapshot, new Map(heard), new Set([service.id]), 0);

    expect(crew.get(service.id)).toMatchObject([{ cpu: 0.5 }]);
  });
});
