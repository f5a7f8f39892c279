import { expect, test, vi } from 'vitest';
import { linkMesh, type MeshLinkParts } from '../../../agent/mesh-link.ts';
import type { MeshRecord } from '../../../model/mesh-record.ts';
import { createLog } from '../../../runtime/log.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';
import { PlanWorld } from '../../support/plan-world.ts';

test.each([
  ['is announced to all', '10.0.0.1', 1],
  ['is not announced where nobody could read it, lest it be announced for ever', 'h1', 0],
])('what a node publishes %s', async (_, address, announced) => {
  const clock = new FakeClock();
  const { buckets } = new MemoryServer({ clock }).connect('h1');
  const world = new PlanWorld();
  const nodeId = world.addNode('h1');
  const described = world.tables.nodes.get(nodeId)?.value;
  if (!described) throw new Error('a node was added');
  let told: Promise<void> = Promise.resolve();
  const own: MeshRecord = { v: 1, nodeId, address, ports: [] };
  const mesh: MeshLinkParts['mesh'] = {
    announce: async () => undefined,
    setAddress: vi.fn<() => void>(),
    learn: vi.fn<() => Promise<void>>(async () => {
      told = mesh.announce(own);
    }),
  };
  const ended = new AbortController();
  const linked = linkMesh(
    buckets,
    { nodeId, mesh, describe: async () => ({ ...described, address }), clock, log: createLog('test', 'silent') },
    ended.signal,
  );
  await settleMicrotasks();
  await clock.advance(100);
  await told;
  await settleMicrotasks();

  expect((await buckets.meshes.watch()).entries.size).toBe(announced);
  expect(mesh.learn).toHaveBeenCalledTimes(1 + announced);
  ended.abort();
  await linked;
});

test('an end that comes while the announcements are still being opened ends it too', async () => {
  const clock = new FakeClock();
  const { buckets } = new MemoryServer({ clock }).connect('h1');
  const world = new PlanWorld();
  const nodeId = world.addNode('h1');
  const described = world.tables.nodes.get(nodeId)?.value;
  if (!described) throw new Error('a node was added');
  const mesh: MeshLinkParts['mesh'] = {
    announce: async () => undefined,
    setAddress: () => undefined,
    learn: async () => undefined,
  };
  const ended = new AbortController();
  const parts = { nodeId, mesh, describe: async () => described, clock, log: createLog('test', 'silent') };
  const linked = linkMesh(buckets, parts, ended.signal);

  ended.abort();
  await clock.advance(10);

  await expect(linked).resolves.toBeUndefined();
});
