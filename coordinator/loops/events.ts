/** Decisions as entries of the event stream: what was done, to what, and why. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { ClusterEvent } from '../../model/messages.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Action } from '../plan/actions.ts';
import { slotKeyOf } from '../plan/slot.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';

export interface EventParts {
  readonly bus: Pick<Bus, 'publishDurably'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
}

/** Publishes without making the loop wait; a loss is logged and counted. */
export function publishEvent(parts: EventParts, event: ClusterEvent): void {
  const publishing = parts.bus.publishDurably(subjects.event(event.kind, event.id), event);
  publishing.catch((error: unknown) => noteLostEvent(parts, event, error));
}

/** Logs and counts an event that could not be stored. */
export function noteLostEvent(parts: Pick<EventParts, 'metrics' | 'log'>, event: ClusterEvent, error: unknown): void {
  parts.metrics.eventFailures.inc();
  parts.log.warn({ kind: event.kind, id: event.id, error: messageOf(error) }, 'could not store an event');
}

/**
 * The event of a carried-out action; undefined for bookkeeping nobody asks about. Services are told by `before`, what was
 * known when it was planned: clients filter by their names, and a roll-out says what it changed from. Pure.
 */
export function eventOf(action: Action, before: Snapshot, atMs: number): ClusterEvent | undefined {
  switch (action.kind) {
    case 'create-task':
      return taskEvent('create', action.record, action.reason, atMs);
    case 'update-task':
      return taskEvent(taskVerb(action.record), action.record, action.reason, atMs);
    case 'delete-task':
      return taskEvent('remove', action.record, action.reason, atMs);
    case 'put-slot': {
      const { pending, serviceId } = action.record;
      if (!pending) return undefined;
      const attributes = { reason: pending.reason, serviceId, slot: action.key };
      return { kind: 'task', id: pending.taskId, action: 'pending', attributes, atMs };
    }
    case 'put-rollout': {
      const { state, message, serviceId } = action.record;
      const old = before.rollouts.get(serviceId)?.value;
      if (old?.state === state && old.revision === action.record.revision) return undefined;
      const attributes = {
        ...nameOf(serviceId, before),
        ...(old ? { 'updatestate.old': old.state } : {}),
        'updatestate.new': state,
        message,
      };
      return { kind: 'service', id: serviceId, action: 'update', attributes, atMs };
    }
    case 'roll-back-service': {
      const attributes = { ...nameOf(action.key, before), reason: action.reason };
      return { kind: 'service', id: action.key, action: 'rollback', attributes, atMs };
    }
    case 'delete-slot':
    case 'delete-rollout':
    case 'delete-scale':
    case 'put-net':
    case 'delete-net':
    case 'delete-service':
      return undefined;
  }
}

function nameOf(serviceId: string, { services }: Snapshot): { name?: string } {
  const name = services.get(serviceId)?.value.spec.Name;
  return name === undefined ? {} : { name };
}

function taskVerb(record: TaskRecord): string {
  if (record.desired === 'stopped') return 'stop';
  return record.replaceAttempt > 0 ? 'restart' : 'start';
}

function taskEvent(action: string, record: TaskRecord, reason: string, atMs: number): ClusterEvent {
  const { id, serviceId, serviceName, nodeId, revision } = record;
  const slot = slotKeyOf(record);
  const attributes = { reason, serviceId, service: serviceName, slot, nodeId, revision: String(revision) };
  return { kind: 'task', id, action, attributes, atMs };
}
