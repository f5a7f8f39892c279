/** The status a task's memory and container add up to, without the sequence number (the reporter counts those). */

import { restartRules } from '../../model/service-defaults.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { addressesOf } from '../network/overlay/addresses.ts';
import type { ObservedContainer } from './observed-container.ts';
import { hasEnded, type TaskMemory } from './task-memory.ts';

export type UnnumberedStatus = Omit<StatusRecord, 'sequence'>;

export function statusOf(
  record: TaskRecord,
  memory: TaskMemory,
  container: ObservedContainer | undefined,
  incarnation: number,
): UnnumberedStatus {
  const running = container?.phase === 'running' && !hasEnded(memory);
  return {
    v: 1,
    taskId: record.id,
    serviceId: record.serviceId,
    slot: record.slot,
    nodeId: record.nodeId,
    revision: record.revision,
    incarnation,
    attempt: memory.attempt,
    state: memory.state,
    ready: running && isReady(record, memory, container),
    health: running ? container.health : 'none',
    removed: memory.removed,
    containerId: memory.containerId,
    pid: running ? container.pid : undefined,
    address: running ? container.address : undefined,
    networks: running ? networksOf(container) : undefined,
    hostPorts: running && container.hostPorts ? [...container.hostPorts] : undefined,
    generic: record.generic,
    exitCode: memory.exitCode,
    message: messageOf(memory, running ? container : undefined),
    error: memory.error,
    unreadyBecause: running && container.readiness === 'failing' ? container.unreadyBecause : undefined,
    changedAtMs: memory.changedAtMs,
    startedAtMs: memory.startedAtMs,
    retryAtMs: memory.final ? undefined : memory.retryAtMs,
    failures: memory.failures,
    restarts: memory.restarts,
    restartedAtMs: countsWithin(record) ? memory.restartedAtMs : undefined,
    oomKills: memory.oomKills,
    exits: memory.exits,
    final: memory.final,
    revoked: memory.revoked,
  };
}

/** Who counts restarts within a window wants to know when they were. */
function countsWithin({ template }: TaskRecord): boolean {
  const { maxAttempts, windowMs } = restartRules(template.RestartPolicy);
  return maxAttempts > 0 && windowMs > 0;
}

/** What a running task waits for stands there, too: nothing is wrong that would be an error. */
function messageOf(memory: TaskMemory, container: ObservedContainer | undefined): string {
  if (container?.readiness === undefined || container.readiness === 'passing') return memory.message;
  return `${memory.message}, not ready: ${container.unreadyBecause ?? ''}`;
}

/** Undefined for a container on the engine's own networks. */
function networksOf({ labels }: ObservedContainer): StatusRecord['networks'] {
  const addresses = addressesOf(labels);
  return addresses.length > 0 ? addresses : undefined;
}

/** May it get traffic? Checks that start over (with the engine, with this agent) do not take it away. */
function isReady(record: TaskRecord, memory: TaskMemory, container: ObservedContainer): boolean {
  if (record.desired === 'stopped' || memory.replaceReason !== undefined) return false;
  if (container.health === 'unhealthy' || container.readiness === 'failing') return false;
  if (container.health === 'starting' || container.readiness === 'waiting') return memory.wasReady;
  return true;
}
