/** Where ingress ports lead on this node: what the agent tells the network part, see agent/network/ingress.ts. */
import { meshOptions } from '../model/mesh-labels.ts';
import type { TaskRecord } from '../model/task-record.ts';
import type { IngressPorts } from './network/ingress.ts';
import type { IngressEndpoint } from './network/ingress-table.ts';

export type PublishedPorts = Pick<IngressPorts, 'apply' | 'withdraw' | 'checkFree'>;

/** A ready task's ingress endpoints; none without an address. */
export function ingressEndpoints(record: TaskRecord, address: string | undefined): IngressEndpoint[] {
  if (address === undefined) return [];
  return ingressPorts(record).map((port) => ({
    taskId: record.id,
    protocol: port.Protocol,
    publishedPort: port.PublishedPort,
    address,
    targetPort: port.TargetPort,
    ...meshOptions(record.serviceLabels),
  }));
}

/** The ports a task is served on by us; Docker itself binds the others. */
export function ingressPorts(record: TaskRecord): TaskRecord['ports'] {
  return record.ports.filter((port) => port.PublishMode === 'ingress' && port.PublishedPort > 0);
}
