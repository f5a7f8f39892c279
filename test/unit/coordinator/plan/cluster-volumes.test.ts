import { expect, it } from 'vitest';
import type { Mount } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const data = { Type: 'volume', Source: 'data', Target: '/data' } as const;

function assignedMounts(change: Partial<Mount>): unknown {
  const world = new PlanWorld();
  world.addNode('h1');
  const record = { v: 1, id: 'v'.repeat(25), name: 'data', createdAtMs: 0 } as const;
  const made = { ...record, driver: 'nfs', options: { share: 'a' }, labels: { from: 'cluster' } };
  world.tables.volumes.set(record.id, { key: record.id, value: made, revision: 1, writtenAtMs: 0 });
  const Mounts = [{ ...data, ...change }];
  const id = world.addService('db', 1, { TaskTemplate: { ContainerSpec: { Image: 'good', Mounts } } });
  world.converge();
  return world.live(id).map((task) => task.template.ContainerSpec.Mounts);
}

it('a volume made on the cluster reaches the node with its driver, options and labels', () => {
  const VolumeOptions = { Labels: { from: 'cluster' }, DriverConfig: { Name: 'nfs', Options: { share: 'a' } } };
  expect(assignedMounts({})).toEqual([[{ ...data, VolumeOptions }]]);
});

it('what the mount itself says comes first', () => {
  const DriverConfig = { Name: 'local' };
  expect(assignedMounts({ VolumeOptions: { DriverConfig, Labels: { from: 'mount' } } })).toEqual([
    [{ ...data, VolumeOptions: { DriverConfig, Labels: { from: 'mount' } } }],
  ]);
});

it('other volumes stay as the service says', () => {
  expect(assignedMounts({ Source: 'other' })).toEqual([[{ ...data, Source: 'other' }]]);
});
