/** The services on a network with their tasks, for `docker network inspect --verbose`. Pure. */
import type { ServiceRecord } from '../../../model/service-record.ts';
import { networkUsers } from '../../store/network-users.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { vipOf } from '../../store/virtual-address.ts';
import { serviceTasks, type TaskView } from './task-view.ts';

/** By name; only tasks that have an address on the network are in. */
export function networkServices(snapshot: Snapshot, networkId: string): Record<string, object> {
  const services = networkUsers(snapshot, networkId);
  return Object.fromEntries(services.map((service) => [service.spec.Name, serviceOn(snapshot, networkId, service)]));
}

function serviceOn(snapshot: Snapshot, networkId: string, service: ServiceRecord): object {
  const running = serviceTasks(snapshot, service).filter((task) => task.Status.State === 'running');
  return {
    VIP: vipOf(snapshot, networkId, service.id)?.address ?? '',
    Ports: [],
    LocalLBIndex: 0,
    Tasks: running.flatMap((task) => taskOn(snapshot, networkId, service, task)),
  };
}

function taskOn(snapshot: Snapshot, networkId: string, service: ServiceRecord, task: TaskView): object[] {
  const status = snapshot.statuses.get(task.plimsoll.taskId)?.value;
  const address = status?.networks?.find((network) => network.networkId === networkId)?.address;
  if (status === undefined || address === undefined) return [];
  const node = snapshot.nodes.get(status.nodeId)?.value;
  return [
    {
      Name: `${service.spec.Name}.${task.Slot ?? status.nodeId}.${task.ID}`,
      EndpointID: status.containerId ?? '',
      EndpointIP: address,
      Info: { 'Host IP': node?.address ?? '' },
    },
  ];
}
