/** Whose connections are counted: this node's tasks that can be called, and who may call them. Pure. */
import type { NetRecord } from '../../../model/network-records.ts';
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import { addressesOf } from '../overlay/addresses.ts';
import type { TaskHere } from '../overlay/local-tasks.ts';
import type { OverlayView } from '../overlay/overlay-view.ts';

/** A service, by id and by name. */
export interface CallingService {
  readonly serviceId: string;
  readonly serviceName: string;
}

/** A task of this node, at the addresses it is called at. */
export interface CalledTask extends CallingService {
  readonly taskId: string;
  readonly addresses: readonly string[];
}

export interface TrafficView {
  readonly tasks: readonly CalledTask[];
  /** Ranges of networks on all nodes. */
  readonly ranges: readonly string[];
  /** Who sends from which address. */
  callers(): ReadonlyMap<string, CallingService>;
}

export function trafficView(tasks: readonly TaskHere[], overlay: Pick<OverlayView, 'nets' | 'endpoints'>): TrafficView {
  const called = tasks.filter(canBeCalled).map(calledTask);
  return {
    tasks: called.filter(({ addresses }) => addresses.length > 0),
    ranges: rangesOf(overlay.nets),
    callers: () => callersOf(called, overlay),
  };
}

/** Who neither publishes a port nor is on a network is called by nobody but the host itself. */
function canBeCalled({ record }: TaskHere): boolean {
  return record.ports.length > 0 || overlayAttachments(record.template).length > 0;
}

function calledTask({ record, containers }: TaskHere): CalledTask {
  const running = containers.filter(({ phase }) => phase === 'running');
  const addresses = running.flatMap(({ address, labels }) => [
    ...(address === undefined ? [] : [address]),
    ...addressesOf(labels).map((place) => place.address),
  ]);
  const { id: taskId, serviceId, serviceName } = record;
  return { taskId, serviceId, serviceName, addresses: [...new Set(addresses)] };
}

function rangesOf(nets: readonly NetRecord[]): string[] {
  return nets.flatMap((net) => (net.kind === 'subnet' ? net.subnets : []));
}

function callersOf(
  here: readonly CalledTask[],
  { endpoints }: Pick<OverlayView, 'endpoints'>,
): Map<string, CallingService> {
  const callers = new Map<string, CallingService>();
  for (const record of endpoints) for (const endpoint of record.endpoints) callers.set(endpoint.address, endpoint);
  for (const task of here) for (const address of task.addresses) callers.set(address, task);
  return callers;
}
