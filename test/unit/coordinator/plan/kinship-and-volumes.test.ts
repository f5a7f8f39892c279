import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

let world: PlanWorld;
let nodes: string[];

beforeEach(() => {
  world = new PlanWorld();
  nodes = ['h1', 'h2', 'h3'].map((name) => world.addNode(name));
});

const placesOf = (id: string) =>
  world
    .live(id)
    .map((task) => task.nodeId)
    .sort();
const pendingOf = (id: string, slot = 1) => world.tables.slots.get(`${id}.${slot}`)?.value.pending;

describe('affinity', () => {
  it('places a service beside the other, or says whom it waits for', () => {
    const web = world.addService('web', 1, { Labels: { 'plimsoll.affinity': 'db' } });
    world.converge();
    expect(pendingOf(web)).toMatchObject({ code: 'affinity', reason: expect.stringContaining('wants a node with db') });

    const db = world.addService('db', 1);
    world.converge();

    expect(placesOf(web)).toEqual(placesOf(db));
  });

  it('means services by a label too, and keeps a group that wants itself together', () => {
    const group = { Labels: { team: 'a', 'plimsoll.affinity': 'team=a' } };
    const web = world.addService('web', 3, group);
    world.converge();

    expect(new Set(placesOf(web)).size).toBe(1);
  });

  it('is looked at again once another service gets the label it waits for', () => {
    const db = world.addService('db', 1);
    const web = world.addService('web', 1, { Labels: { 'plimsoll.affinity': 'team=a' } });
    world.converge();
    expect(pendingOf(web)).toMatchObject({ code: 'affinity' });

    const record = world.service(db);
    world.write('services', db, { ...record, spec: { ...record.spec, Labels: { team: 'a' } } });
    world.converge();

    expect(placesOf(web)).toEqual(placesOf(db));
  });

  it('keeps apart both ways, and a service from its own tasks', () => {
    const quiet = world.addService('quiet', 2, { Labels: { 'plimsoll.anti-affinity': 'quiet,loud' } });
    world.converge();
    const loud = world.addService('loud', 2);
    world.converge();

    expect(new Set(placesOf(quiet)).size).toBe(2);
    expect(placesOf(loud).filter((node) => placesOf(quiet).includes(node))).toEqual([]);
  });
});

describe('named local volumes', () => {
  const withVolume = (labels: Record<string, string> = {}): Partial<ServiceSpec> => ({
    Labels: labels,
    TaskTemplate: {
      ContainerSpec: { Image: 'good', Mounts: [{ Type: 'volume', Source: 'data', Target: '/data' }] },
    },
  });

  it('wait for the node that has their data, and return to it', () => {
    const db = world.addService('db', 1, withVolume());
    world.converge();
    const [home = ''] = placesOf(db);

    world.setState(home, 'lost');
    world.converge();
    world.pass(120_000);
    world.converge();
    expect(placesOf(db)).toEqual([home]);
    expect(pendingOf(db)?.reason).toMatch(/waits for h\d, which has its volume data/);
    world.setState(home, 'ready');
    world.converge();

    expect(placesOf(db)).toEqual([home]);
    expect(pendingOf(db)).toBeUndefined();
  });

  it('move where they are told to, and when the node with the data is removed', () => {
    const moving = world.addService('moving', 1, withVolume({ 'plimsoll.volume.move': 'when-needed' }));
    const staying = world.addService('staying', 1, withVolume());
    world.converge();
    for (const id of [moving, staying]) world.setAvailability(placesOf(id)[0] ?? '', 'drain');
    const [home = ''] = placesOf(staying);
    world.converge();

    expect(placesOf(moving)).toHaveLength(1);
    expect(placesOf(staying)).toEqual([]);
    world.removeNode(home);
    world.converge();
    expect(placesOf(staying)).toHaveLength(1);
  });

  it('are remembered by a slot that was scaled away', () => {
    const db = world.addService('db', 2, withVolume());
    world.converge();
    const before = world.live(db).find((task) => task.slot === 2)?.nodeId;
    world.scale(db, 1);
    world.converge();
    world.setAvailability(nodes.find((node) => node !== before) ?? '', 'pause');

    world.scale(db, 2);
    world.converge();

    expect(world.live(db).find((task) => task.slot === 2)?.nodeId).toBe(before);
  });
});

it('nodes a service has failed on five times lately come last', () => {
  const id = world.addService('web', 1);
  world.converge();
  const [task] = world.live(id);
  const exits = Array.from({ length: 5 }, (_, index) => ({
    attempt: index + 1,
    containerId: '',
    exitCode: 1,
    oomKilled: false,
    error: '',
    finishedAtMs: world.now.wallMs,
    state: 'failed' as const,
  }));
  world.report(task!, { exits, attempt: 6 });

  world.scale(id, 3);
  world.lead();

  expect(world.spread(id)[task?.nodeId ?? '']).toBe(1);
});
