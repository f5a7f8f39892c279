import { beforeEach, describe, expect, test } from 'vitest';
import { actionsOf } from '../../../../../coordinator/plan/actions.ts';
import { explainPlacement } from '../../../../../coordinator/plan/explain-placement.ts';
import { plan } from '../../../../../coordinator/plan/plan.ts';
import { NetRecord, type NetworkRecord } from '../../../../../model/network-records.ts';
import type { NodeRecord } from '../../../../../model/node-record.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { ipv4Range, overlaps } from '../../../../../runtime/ipv4.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const back = derivedId('network', 'back');

describe('addresses of networks', () => {
  let world: PlanWorld;

  beforeEach(() => {
    world = new PlanWorld();
    world.addNode('n1');
    world.addNode('n2');
  });

  const addNetwork = (name: string, change: Partial<NetworkRecord> = {}) => {
    const id = derivedId('network', name);
    world.write('networks', id, {
      v: 1,
      id,
      name,
      labels: {},
      options: {},
      internal: false,
      createdAtMs: 0,
      ...change,
    });
    return id;
  };
  const onNetwork = (name: string, replicas: number, networks: readonly string[], mode?: 'dnsrr') =>
    world.addService(name, replicas, {
      TaskTemplate: { ContainerSpec: { Image: 'good' }, Networks: networks.map((Target) => ({ Target })) },
      ...(mode && { EndpointSpec: { Mode: mode } }),
    });
  const setNode = (name: string, change: Partial<NodeRecord>) => {
    const id = derivedId('node', name);
    const record = world.tables.nodes.get(id)?.value;
    if (record) world.write('nodes', id, { ...record, ...change });
  };
  const setUplink = (name: string, uplinkMtuBytes: number) => setNode(name, { uplinkMtuBytes });
  const records = () => [...world.tables.nets.values()].map((entry) => entry.value);
  const ranges = () => records().flatMap((record) => (record.kind === 'subnet' ? record.subnets : []));
  const vips = () => records().flatMap((record) => (record.kind === 'vip' ? [record.address] : []));

  test('a range per node with tasks, one virtual address per service; then nothing is left to do', () => {
    addNetwork('back', { internal: true });
    onNetwork('web', 2, [back]);
    world.converge();

    const networks = records().flatMap((record) => (record.kind === 'subnet' ? [record.network] : []));
    const facts = { id: back, name: 'back', internal: true };
    expect(networks).toEqual([facts, facts]);
    expect(vips()).toHaveLength(1);
    expect(vips()[0]).toMatch(/^10\.208\./);
    expect(world.lead()).toBe(0);
  });

  test('a record nobody can read hurts no service', () => {
    addNetwork('back');
    const damaged = { kind: 'subnet', networkId: back, nodeId: derivedId('node', 'n1') } as unknown as NetRecord;
    world.write('nets', `subnet.${back}.${derivedId('node', 'n1')}`, damaged);
    onNetwork('web', 2, [back]);

    const made = plan(world.snapshot(), world.now);

    expect(made.failures).toMatchObject([{ of: 'networks' }]);
    expect(actionsOf(made).filter(({ kind }) => kind === 'create-task')).toHaveLength(2);
  });

  test('a node at no IPv4 address gets no range: nobody could read the record', () => {
    addNetwork('back');
    const id = derivedId('node', 'n1');
    const record = world.tables.nodes.get(id)?.value;
    if (record) world.write('nodes', id, { ...record, address: 'fd00::1' });
    onNetwork('web', 2, [back]);
    world.converge();

    expect(ranges()).toHaveLength(1);
    for (const each of records()) expect(NetRecord.safeParse(each).success).toBe(true);
  });

  test('packets between nodes fit through the smallest uplink of the cluster, and grow with it', () => {
    addNetwork('back');
    onNetwork('web', 2, [back]);
    world.converge();
    const sizes = () => records().flatMap((record) => (record.kind === 'subnet' ? [record.tunnelMtuBytes] : []));
    expect(sizes()).toEqual([undefined, undefined]);

    setUplink('n1', 9_000);
    setUplink('n2', 1_400);
    world.converge();
    expect(sizes()).toEqual([1_350, 1_350]);

    setUplink('n2', 1_500);
    world.converge();
    expect(sizes()).toEqual([1_450, 1_450]);
    setUplink('n2', 68);
    world.converge();
    expect(sizes()).toEqual([526, 526]);
  });

  test('no two ranges and no two virtual addresses meet', () => {
    for (let index = 0; index < 40; index += 1) {
      addNetwork(`n${index}`);
      onNetwork(`s${index}`, 2, [derivedId('network', `n${index}`)]);
    }
    world.converge(1_000);

    const all = ranges().map(ipv4Range);
    expect(all).toHaveLength(80);
    for (const [index, range] of all.entries()) {
      expect(all.slice(index + 1).some((other) => overlaps(range, other))).toBe(false);
    }
    expect(new Set(vips()).size).toBe(40);
  });

  test('a node gets a second range when the first is full', () => {
    addNetwork('back');
    onNetwork('web', 130, [back]);
    world.converge(1_000);

    expect(ranges()).toHaveLength(4);
    expect(new Set(ranges()).size).toBe(4);
  });

  test('a network of its own range stays inside it', () => {
    addNetwork('back', { subnet: '10.50.0.0/24' });
    onNetwork('web', 2, [back]);
    world.converge();

    expect(ranges()).toHaveLength(2);
    for (const range of ranges()) expect(overlaps(ipv4Range('10.50.0.0/24'), ipv4Range(range))).toBe(true);
  });

  test('dnsrr has no virtual address', () => {
    addNetwork('back');
    onNetwork('web', 1, [back], 'dnsrr');
    world.converge();
    expect(vips()).toEqual([]);
  });

  test('what a new leader finds, it keeps; what was lost, it gives out the same again', () => {
    addNetwork('back');
    onNetwork('web', 2, [back]);
    world.converge();
    const before = new Map([...world.tables.nets].map(([key, { value }]): [string, NetRecord] => [key, value]));

    world.tables.nets.clear();
    world.converge();

    expect(new Map([...world.tables.nets].map(([key, { value }]) => [key, value]))).toEqual(before);
  });

  test('addresses are free again when tasks are gone: ranges a minute later, so that an update finds them still', () => {
    addNetwork('back');
    const id = onNetwork('web', 2, [back]);
    world.converge();

    world.remove(id);
    world.converge();
    expect(vips()).toEqual([]);
    expect(ranges()).toHaveLength(2);

    world.pass(60_000);
    world.converge();
    expect(records()).toEqual([]);
  });

  test('a network removed while its tasks stop keeps their ranges until they have', () => {
    addNetwork('back');
    const id = onNetwork('web', 2, [back]);
    world.converge();
    const before = ranges();

    world.remove(id);
    world.tables.networks.clear();
    world.lead();
    expect(ranges()).toEqual(before);
  });

  test('a network without addresses left takes no more tasks and says so with numbers, until some are free again', () => {
    addNetwork('back', { subnet: '10.50.0.0/27' });
    const first = onNetwork('first', 10, [back]);
    world.converge(1_000);
    const second = onNetwork('second', 12, [back]);
    world.converge(1_000);

    const pending = () => [...world.tables.slots.values()].flatMap(({ value }) => value.pending ?? []);
    expect(world.live(second)).toHaveLength(10);
    expect(pending().map(({ code }) => code)).toEqual(['addresses', 'addresses']);
    expect(pending()[0]?.reason).toBe(
      'no suitable node (no addresses left on 2 nodes; wants one of network back (10.50.0.0/27: 4 ranges of 5 addresses))',
    );
    const [verdict] = explainPlacement(world.snapshot(), world.service(second), world.now);
    expect(verdict?.objection).toMatch(/^has no address left of its 10 of network back \(10\.50\.0\.0\/27/);
    expect(world.lead()).toBe(0);

    world.scale(first, 8);
    world.converge(1_000);
    expect(pending()).toEqual([]);
    expect(world.live(second)).toHaveLength(12);
  });

  test('an encrypted network goes to nodes with WireGuard alone, which tell their keys; without one its tasks wait', () => {
    addNetwork('back', { options: { encrypted: '' } });
    const id = onNetwork('web', 2, [back]);
    world.converge();
    const pending = () => [...world.tables.slots.values()].flatMap(({ value }) => value.pending ?? []);
    expect(world.live(id)).toEqual([]);
    expect(pending()[0]?.reason).toBe('no suitable node (no WireGuard on 2 nodes; wants the encrypted network back)');

    setNode('n2', { wireguardKey: 'key2' });
    world.converge();
    expect(world.live(id).map(({ nodeId }) => nodeId)).toEqual(Array(2).fill(derivedId('node', 'n2')));
    expect(records().filter(({ kind }) => kind === 'subnet')).toMatchObject([
      { nodeId: derivedId('node', 'n2'), wireguardKey: 'key2', network: { encrypted: true } },
    ]);
    const n1 = explainPlacement(world.snapshot(), world.service(id), world.now).find(({ node }) => node === 'n1');
    expect(n1?.objection).toMatch(/^has no WireGuard, which the encrypted network back needs: install wireguard-tools/);

    setNode('n2', { wireguardKey: 'anew' });
    world.converge();
    expect(records().filter(({ kind }) => kind === 'subnet')).toMatchObject([{ wireguardKey: 'anew' }]);
  });

  test('the last range of a network goes to one node, the tasks with it', () => {
    addNetwork('back', { subnet: '10.50.0.0/27' });
    for (let index = 3; index <= 6; index += 1) world.addNode(`n${index}`);
    const id = onNetwork('web', 6, [back]);
    world.converge(1_000);

    expect(world.live(id)).toHaveLength(6);
    expect(new Set(world.live(id).map(({ nodeId }) => nodeId)).size).toBe(4);
  });
});
