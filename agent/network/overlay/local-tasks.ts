/** This node's tasks as the overlay needs them. Pure. */
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import type { ObservedContainer } from '../../plan/observed-container.ts';
import { addressesOf } from './addresses.ts';
import type { LocalTask, TaskAddress } from './overlay-view.ts';

/** A task with its containers, as the supervisor shows it. */
export interface TaskHere {
  readonly record: TaskRecord;
  readonly containers: readonly ObservedContainer[];
}

/** Addresses chosen for an attempt whose container is not there yet. */
export interface Reservation {
  readonly attempt: number;
  readonly addresses: readonly TaskAddress[];
}

/** Undefined for tasks that are on no network of the cluster. */
export function localTask(
  { record, containers }: TaskHere,
  reservation: Reservation | undefined,
  ready: boolean,
): LocalTask | undefined {
  const attachments = overlayAttachments(record.template);
  if (attachments.length === 0) return undefined;
  const held = containers.filter(({ phase }) => phase !== 'exited').flatMap(({ labels }) => addressesOf(labels));
  const isAwaited = reservation && !containers.some(({ attempt }) => attempt === reservation.attempt);
  return {
    taskId: record.id,
    serviceId: record.serviceId,
    serviceName: record.serviceName,
    slot: record.slot,
    addresses: [...held, ...(isAwaited ? reservation.addresses : [])],
    aliases: Object.fromEntries(attachments.map(({ Target, Aliases }) => [Target, Aliases ?? []])),
    ready,
    nameservers: record.template.ContainerSpec.DNSConfig?.Nameservers ?? [],
  };
}
