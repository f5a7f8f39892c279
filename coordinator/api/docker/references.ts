/** Finding the one object a name, an id or the beginning of an id means. Pure. */
import type { Entry } from '../../../bus/bus.ts';
import type { NetworkRecord } from '../../../model/network-records.ts';
import type { NodeSpecRecord } from '../../../model/node-record.ts';
import type { PayloadKind, PayloadRecord } from '../../../model/payload.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { liveServices } from '../../store/live-services.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { ApiError } from './responses.ts';
import { currentTaskId, serviceTasks, type TaskView, taskViews } from './task-view.ts';

export function serviceByReference(snapshot: Snapshot, reference: string): Entry<ServiceRecord> {
  return oneOf('service', reference, liveServices(snapshot), (entry) => [entry.value.id, entry.value.spec.Name]);
}

export function nodeByReference(snapshot: Snapshot, reference: string): Entry<NodeSpecRecord> {
  return oneOf('node', reference, [...snapshot.nodeSpecs.values()], (entry) => [
    entry.value.id,
    hostnameOf(snapshot, entry.value.id),
  ]);
}

export function networkByReference(snapshot: Snapshot, reference: string): Entry<NetworkRecord> {
  return oneOf('network', reference, [...snapshot.networks.values()], ({ value }) => [value.id, value.name]);
}

export function taskByReference(snapshot: Snapshot, reference: string): TaskView {
  const current = currentTask(snapshot, reference);
  return current ?? oneOf('task', reference, taskViews(snapshot), (task) => [task.ID, taskName(snapshot, task)]);
}

/** The task whose full id this is, if it is one that runs: without a view of every task there is, which takes long. */
function currentTask(snapshot: Snapshot, reference: string): TaskView | undefined {
  for (const { value: task } of snapshot.tasks.values()) {
    if (currentTaskId(task, snapshot.statuses.get(task.id)?.value) !== reference) continue;
    const service = liveServices(snapshot).find(({ value }) => value.id === task.serviceId);
    return service && serviceTasks(snapshot, service.value).find(({ ID }) => ID === reference);
  }
  return undefined;
}

/** `payloads` are all of their kind. */
export function payloadByReference(
  payloads: ReadonlyMap<string, Entry<PayloadRecord>>,
  kind: PayloadKind,
  reference: string,
): Entry<PayloadRecord> {
  return oneOf(kind, reference, [...payloads.values()], (entry) => [entry.value.id, entry.value.spec.Name]);
}

/** `web.1.<id>`; with the node's id instead of the slot for global services. */
export function taskName(snapshot: Snapshot, task: TaskView): string {
  const service = snapshot.services.get(task.ServiceID)?.value.spec.Name ?? task.ServiceID;
  return `${service}.${task.Slot ?? task.NodeID}.${task.ID}`;
}

/** Full id, else exact name, else unique beginning of an id; throws Docker's 404 or 400. */
function oneOf<T>(
  kind: string,
  reference: string,
  all: readonly T[],
  names: (one: T) => [id: string, name: string],
): T {
  const byId = all.find((one) => names(one)[0] === reference);
  if (byId !== undefined) return byId;
  const byName = all.filter((one) => names(one)[1] === reference);
  const found =
    byName.length > 0 ? byName : all.filter((one) => reference !== '' && names(one)[0].startsWith(reference));
  if (found.length > 1) throw new ApiError(400, `${kind} ${reference} is ambiguous (${found.length} matches found)`);
  const [only] = found;
  if (only === undefined) throw new ApiError(404, `${kind} ${reference} not found`);
  return only;
}
