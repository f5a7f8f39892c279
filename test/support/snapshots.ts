/** Snapshots of a cluster for tests of views: only what a test names is in them. */
import type { Entry } from '../../bus/bus.ts';
import type { NodeState, Snapshot } from '../../coordinator/store/snapshot.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { derivedId } from '../../runtime/identifiers.ts';

export interface SnapshotParts {
  readonly services?: readonly ServiceRecord[];
  readonly tasks?: readonly TaskRecord[];
  readonly statuses?: readonly StatusRecord[];
  readonly slots?: readonly SlotRecord[];
  readonly rollouts?: readonly RolloutRecord[];
  /** State by node id. */
  readonly nodes?: Readonly<Record<string, NodeState>>;
  readonly taskHistoryLimit?: number;
}

export function entryOf<T>(key: string, value: T, revision = 7): Entry<T> {
  return { key, value, revision, writtenAtMs: 0 };
}

export function aSnapshot(parts: SnapshotParts = {}): Snapshot {
  const table = <T>(values: readonly T[] | undefined, keyOf: (value: T) => string) =>
    new Map((values ?? []).map((value) => [keyOf(value), entryOf(keyOf(value), value)]));
  const { taskHistoryLimit = 5 } = parts;
  const cluster = {
    v: 1,
    id: derivedId('cluster'),
    taskHistoryLimit,
    labels: {},
    createdAtMs: 0,
    updatedAtMs: 0,
  } as const;
  const liveness = Object.entries(parts.nodes ?? {}).map(
    ([id, state]) => [id, { state, sinceMs: 0, message: '' }] as const,
  );
  return {
    cluster: entryOf('main', cluster),
    services: table(parts.services, (service) => service.id),
    networks: new Map(),
    secrets: new Map(),
    configs: new Map(),
    volumes: new Map(),
    alerts: new Map(),
    nodeSpecs: new Map(),
    nodes: new Map(),
    liveness: new Map(liveness),
    coordinatorNodes: new Set(),
    tasks: table(parts.tasks, (task) => task.id),
    statuses: table(parts.statuses, (status) => status.taskId),
    slots: table(parts.slots, (slot) => `${slot.serviceId}.${slot.nodeId ?? slot.slot}`),
    rollouts: table(parts.rollouts, (rollout) => rollout.serviceId),
    scales: new Map(),
    nets: new Map(),
    leader: undefined,
  };
}

export function aSpec(changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'a:1' } }, ...changes };
}

export function aService(changes: Partial<ServiceRecord> = {}): ServiceRecord {
  const spec = changes.spec ?? aSpec();
  return {
    v: 1,
    id: derivedId('service', spec.Name),
    spec,
    revision: 1,
    revisions: [{ number: 1, taskTemplate: spec.TaskTemplate, createdAtMs: 1_000 }],
    ports: [],
    createdAtMs: 1_000,
    updatedAtMs: 1_000,
    change: 'create',
    ...changes,
  };
}

export function aSlot(service: ServiceRecord, changes: Partial<SlotRecord> = {}): SlotRecord {
  return {
    v: 1,
    epoch: 1,
    serviceId: service.id,
    slot: 1,
    tasksMade: 1,
    assigned: [],
    failuresByNode: {},
    failuresRevision: 0,
    history: [],
    ...changes,
  };
}

export function aRollout(service: ServiceRecord, changes: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    v: 1,
    epoch: 1,
    serviceId: service.id,
    revision: service.revision,
    specVersion: 7,
    state: 'updating',
    message: 'update in progress',
    startedAtMs: 0,
    progressAtMs: 0,
    slots: {},
    ...changes,
  };
}
