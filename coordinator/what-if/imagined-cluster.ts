/** Snapshots of clusters that are not there, made from one that is. Pure. */
import type { Entry } from '../../bus/bus.ts';
import type { NetworkRecord } from '../../model/network-records.ts';
import type { PayloadRecord } from '../../model/payload.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { StackWish } from '../../model/stack-plan.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** With the networks, secrets and configs a stack would make. */
export function withNewObjects(snapshot: Snapshot, wish: StackWish, nowMs: number): Snapshot {
  const payloads = (objects: StackWish['secrets']) => objects.map((object) => payloadRecord(object, nowMs));
  return {
    ...snapshot,
    networks: added(
      snapshot.networks,
      wish.networks.map((object) => networkRecord(object, nowMs)),
    ),
    secrets: added(snapshot.secrets, payloads(wish.secrets)),
    configs: added(snapshot.configs, payloads(wish.configs)),
  };
}

/** With this record for a service; undefined: without the service. */
export function withService(snapshot: Snapshot, id: string, record: ServiceRecord | undefined): Snapshot {
  const services = new Map(snapshot.services);
  if (record === undefined) services.delete(id);
  else services.set(id, entryOf(id, record));
  return { ...snapshot, services };
}

/** As if the service had never run: the planner places all of it anew. */
export function withoutTasksOf(snapshot: Snapshot, serviceId: string): Snapshot {
  return {
    ...snapshot,
    tasks: without(snapshot.tasks, (task) => task.serviceId === serviceId),
    statuses: without(snapshot.statuses, (status) => status.serviceId === serviceId),
    slots: without(snapshot.slots, (slot) => slot.serviceId === serviceId),
    rollouts: without(snapshot.rollouts, (rollout) => rollout.serviceId === serviceId),
  };
}

function networkRecord({ id, name }: StackWish['networks'][number], createdAtMs: number): NetworkRecord {
  return { v: 1, id, name, labels: {}, options: {}, internal: false, createdAtMs };
}

function payloadRecord({ id, name }: StackWish['secrets'][number], nowMs: number): PayloadRecord {
  const times = { createdAtMs: nowMs, updatedAtMs: nowMs };
  return { v: 1, id, spec: { Name: name, Labels: {} }, sealed: '', version: 1, ...times };
}

function added<T extends { readonly id: string }>(table: ReadonlyMap<string, Entry<T>>, records: readonly T[]) {
  return new Map([...table, ...records.map((record) => [record.id, entryOf(record.id, record)] as const)]);
}

function entryOf<T>(key: string, value: T): Entry<T> {
  return { key, value, revision: 0, writtenAtMs: 0 };
}

function without<T>(table: ReadonlyMap<string, Entry<T>>, isGone: (value: T) => boolean) {
  return new Map([...table].filter(([, { value }]) => !isGone(value)));
}
