import { beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import { linkMesh, type MeshLinkParts } from '../../../agent/mesh-link.ts';
import type { OtherMeshNodes } from '../../../agent/network/mesh/mesh.ts';
import type { MeshRecord } from '../../../model/mesh-record.ts';
import type { NodeRecord } from '../../../model/node-record.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';
import { PlanWorld } from '../../support/plan-world.ts';

const log = createLog('test', 'silent');
const metrics = agentMetrics(createMetrics('agent', '0'));
const nobody: OtherMeshNodes = { tell: async () => undefined, haveHeard: async () => undefined };

/** What a node says of itself. */
function aNode(): NodeRecord {
  const world = new PlanWorld();
  const described = world.tables.nodes.get(world.addNode('h1'))?.value;
  if (!described) throw new Error('a node was added');
  return described;
}

/** One node on a bus of its own. */
function loneNode() {
  const clock = new FakeClock();
  const described = aNode();
  const { bus, buckets } = new MemoryServer({ clock }).connect('h1');
  return { clock, bus, buckets, nodeId: described.id, described };
}

test.each([
  ['is announced to all', '10.0.0.1', 1],
  ['is not announced where nobody could read it, lest it be announced for ever', 'h1', 0],
])('what a node publishes %s', async (_, address, announced) => {
  const { clock, bus, buckets, nodeId, described } = loneNode();
  let told: Promise<void> = Promise.resolve();
  const own: MeshRecord = { v: 1, nodeId, address, ports: [] };
  const mesh: MeshLinkParts['mesh'] = {
    others: nobody,
    setAddress: vi.fn<() => void>(),
    learn: vi.fn<() => Promise<void>>(async () => {
      told = mesh.others.tell(own);
    }),
  };
  const ended = new AbortController();
  const parts = { nodeId, mesh, describe: async () => ({ ...described, address }), clock, log, metrics };
  const linked = linkMesh(bus, buckets, parts, ended.signal);
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
  const { clock, bus, buckets, nodeId, described } = loneNode();
  const mesh: MeshLinkParts['mesh'] = {
    others: nobody,
    setAddress: () => undefined,
    learn: async () => undefined,
  };
  const ended = new AbortController();
  const parts = { nodeId, mesh, describe: async () => described, clock, log, metrics };
  const linked = linkMesh(bus, buckets, parts, ended.signal);

  ended.abort();
  await clock.advance(10);

  await expect(linked).resolves.toBeUndefined();
});

test('an engine that does not answer at first keeps no node from the routing mesh', async () => {
  const { clock, bus, buckets, nodeId, described } = loneNode();
  const mesh = { others: nobody, setAddress: vi.fn<(address: string) => void>(), learn: async () => undefined };
  let asked = 0;
  const describeNode = async () => {
    asked += 1;
    if (asked === 1) throw new Error('The engine has not answered yet');
    return described;
  };
  const ended = new AbortController();
  const linked = linkMesh(bus, buckets, { nodeId, mesh, describe: describeNode, clock, log, metrics }, ended.signal);

  await clock.advance(1_000);

  expect(mesh.setAddress).toHaveBeenCalledExactlyOnceWith(described.address);
  ended.abort();
  await linked;
});

describe('what nodes tell each other of their ports', () => {
  const [own, other] = ['own', 'other'].map((name) => derivedId('node', name)) as [string, string];
  let clock: FakeClock;
  let server: MemoryServer;
  let stop: AbortController;

  beforeEach(() => {
    clock = new FakeClock();
    server = new MemoryServer({ clock });
    stop = new AbortController();
    return async () => {
      stop.abort();
      await clock.advance(10);
    };
  });

  /** A node; `learn` is its kernel. */
  const linked = async (nodeId: string, learn: () => Promise<void>) => {
    const { bus, buckets } = server.connect();
    const mesh: MeshLinkParts['mesh'] = { others: nobody, setAddress: () => undefined, learn };
    const parts = { nodeId, mesh, describe: async () => aNode(), clock, log, metrics };
    void linkMesh(bus, buckets, parts, stop.signal);
    await clock.advance(10);
    return mesh.others;
  };
  const recordOf = (port: number, abilities?: string[]): MeshRecord => ({
    v: 1,
    nodeId: own,
    address: '10.0.0.1',
    ports: [{ protocol: 'tcp', port, tasks: 1, affinity: 'none', masquerade: false }],
    ...(abilities && { abilities }),
  });

  test('a node has heard once its kernel does as it was told', async () => {
    const applied: (() => void)[] = [];
    const others = await linked(own, async () => undefined);
    await linked(other, () => new Promise((resolve) => applied.push(resolve)));
    await others.tell(recordOf(80, ['acknowledges']));
    let hasHeard = false;
    const heard = others.haveHeard([other]).then(() => {
      hasHeard = true;
    });
    await clock.advance(100);
    expect(hasHeard).toBe(false);

    for (const resolve of applied) resolve();
    await clock.advance(10);
    await heard;
  });

  test('an agent that does not ask for it hears nothing: it would not understand', async () => {
    const said: string[] = [];
    server.connect().bus.subscribe('plim.ack.>', z.unknown(), (_, subject) => void said.push(subject));
    const others = await linked(own, async () => undefined);
    await linked(other, async () => undefined);
    await others.tell(recordOf(80));
    await clock.advance(100);
    expect(said).toEqual([]);

    await others.tell(recordOf(80, ['acknowledges']));
    await clock.advance(100);
    expect(said).toEqual([`plim.ack.${own}.${other}`]);
  });

  test('after the bucket was lost it is told and acknowledged again, with the numbers of before', async () => {
    const others = await linked(own, async () => undefined);
    await linked(other, async () => undefined);
    const record = recordOf(80, ['acknowledges']);
    await others.tell(record);
    await clock.advance(10);
    await others.haveHeard([other]);

    server.wipe('plim_mesh');
    await clock.advance(10);
    await others.tell(record);
    await clock.advance(10);
    let hasHeard = false;
    void others.haveHeard([other]).then(() => {
      hasHeard = true;
    });
    await clock.advance(10);
    expect(hasHeard).toBe(true);
  });
});
