import { describe, expect, it } from 'vitest';
import { serviceStatus } from '../../../../../coordinator/api/docker/service-status.ts';
import { serviceView } from '../../../../../coordinator/api/docker/service-view.ts';
import { updateStatus } from '../../../../../coordinator/api/docker/update-status.ts';
import type { RolloutRecord } from '../../../../../model/rollout-record.ts';
import { aStatusRecord, aTaskRecord, nodeIdOf } from '../../../../support/docker-api-server.ts';
import { aService, aSnapshot, aSpec, entryOf } from '../../../../support/snapshots.ts';

const rollout = (changes: Partial<RolloutRecord> = {}): RolloutRecord => ({
  v: 1,
  epoch: 1,
  serviceId: aService().id,
  revision: 2,
  specVersion: 7,
  state: 'completed',
  message: 'update completed',
  startedAtMs: 2_000,
  completedAtMs: 3_000,
  progressAtMs: 3_000,
  slots: {},
  ...changes,
});

const template = aSpec().TaskTemplate;
const revisions = [
  { number: 1, taskTemplate: template, createdAtMs: 1_000 },
  { number: 2, taskTemplate: template, createdAtMs: 2_000 },
];
const updated = aService({ revision: 2, revisions, updatedAtMs: 2_000, change: 'update' });

describe('updateStatus()', () => {
  it('is absent for a new service', () => {
    expect(updateStatus(aService(), undefined)).toBeUndefined();
  });

  it('is updating as soon as tasks must change, whatever an older roll-out said', () => {
    for (const known of [undefined, rollout({ revision: 1 })]) {
      expect(updateStatus(updated, known)).toMatchObject({ State: 'updating', Message: 'update in progress' });
    }
    expect(updateStatus({ ...updated, change: 'rollback' }, undefined)).toMatchObject({
      State: 'rollback_started',
      Message: 'manually requested rollback',
    });
  });

  it('tells what the leader wrote about the current revision', () => {
    expect(updateStatus(updated, rollout())).toEqual({
      State: 'completed',
      StartedAt: '1970-01-01T00:00:02.000Z',
      CompletedAt: '1970-01-01T00:00:03.000Z',
      Message: 'update completed',
    });
  });

  it('is absent after a scale, unless the roll-out still goes on', () => {
    const scaled = { ...updated, updatedAtMs: 9_000 };
    expect(updateStatus(scaled, rollout())).toBeUndefined();
    expect(updateStatus(scaled, undefined)).toBeUndefined();
    const going = rollout({ state: 'updating', completedAtMs: undefined });
    expect(updateStatus(scaled, going)).toMatchObject({ State: 'updating' });
  });
});

describe('serviceView()', () => {
  const view = (service = aService(), insertDefaults = false) =>
    JSON.parse(JSON.stringify(serviceView(aSnapshot(), entryOf('k', service, 42), { insertDefaults, status: true })));

  it('shows the stored specification as it is, with the bucket revision as version', () => {
    expect(view()).toEqual({
      ID: aService().id,
      Version: { Index: 42 },
      CreatedAt: '1970-01-01T00:00:01.000Z',
      UpdatedAt: '1970-01-01T00:00:01.000Z',
      Spec: aSpec(),
      Endpoint: { Spec: {} },
      ServiceStatus: { RunningTasks: 0, DesiredTasks: 1, CompletedTasks: 0 },
    });
  });

  it('spells defaults out only when asked', () => {
    const spec = aSpec({ UpdateConfig: { Parallelism: 3 } });
    expect(view(aService({ spec }), true).Spec).toMatchObject({
      UpdateConfig: { Parallelism: 3, FailureAction: 'pause', Monitor: 5_000_000_000 },
      RollbackConfig: { Parallelism: 1 },
      TaskTemplate: { ContainerSpec: { StopGracePeriod: 10_000_000_000 }, RestartPolicy: { Condition: 'any' } },
    });
  });

  it('shows settled ports beside the wanted ones', () => {
    const wanted = [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' }] as const;
    const settled = [{ ...wanted[0], PublishedPort: 30_000 }];
    const service = aService({ spec: aSpec({ EndpointSpec: { Ports: [...wanted] } }), ports: settled });
    expect(view(service).Endpoint).toEqual({ Spec: { Mode: 'vip', Ports: wanted }, Ports: settled });
  });
});

describe('serviceStatus()', () => {
  it('counts what runs on nodes that are there', () => {
    const service = aService({ spec: aSpec({ Mode: { Replicated: { Replicas: 3 } } }) });
    const tasks = [1, 2, 3].map((slot) => aTaskRecord(service, slot, nodeIdOf(slot === 3 ? 'h2' : 'h1')));
    const statuses = tasks.map((task) => aStatusRecord(task, task.slot === 2 ? { state: 'preparing' } : {}));
    const nodes = { [nodeIdOf('h1')]: 'ready', [nodeIdOf('h2')]: 'lost' } as const;
    const snapshot = aSnapshot({ services: [service], tasks, statuses, nodes });
    expect(serviceStatus(snapshot, service)).toEqual({ RunningTasks: 1, DesiredTasks: 3, CompletedTasks: 0 });
  });
});
