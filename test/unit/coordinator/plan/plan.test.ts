import { expect, test } from 'vitest';
import { actionsOf } from '../../../../coordinator/plan/actions.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function threeNodes(): { world: PlanWorld; nodes: [string, string, string] } {
  const world = new PlanWorld();
  return { world, nodes: [world.addNode('h1'), world.addNode('h2'), world.addNode('h3')] };
}

const runs = (world: PlanWorld, id: string) => world.live(id).filter((task) => task.desired === 'running').length;

test('plan() makes the replicas a service wants, spread over the nodes', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 6);

  world.converge();

  expect(runs(world, id)).toBe(6);
  expect(Object.values(world.spread(id))).toEqual([2, 2, 2]);
});

test('plan() writes a slot before its task, and everything in one plan', () => {
  const { world } = threeNodes();
  world.addService('web', 2);

  expect(world.plan().chains.map((chain) => chain.map((action) => action.kind))).toEqual([
    ['put-slot', 'create-task'],
    ['put-slot', 'create-task'],
  ]);
});

test('plan() repairs a crash between the slot and its task under the same task id', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 1);
  const [, intended] = actionsOf(world.plan());

  world.lead(1);
  world.converge();

  expect(world.live(id).map((task) => `${task.nodeId}.${task.id}`)).toEqual([intended?.key]);
});

test('plan() scales down on the nodes with most copies, high slots first', () => {
  const { world, nodes } = threeNodes();
  world.setState(nodes[2], 'suspect');
  const id = world.addService('web', 4);
  world.converge();
  world.setState(nodes[2], 'ready');
  world.scale(id, 5);
  world.converge();

  world.scale(id, 3);
  world.converge();

  expect(
    world
      .live(id)
      .map((task) => task.slot)
      .sort(),
  ).toEqual([1, 2, 5]);
  expect(Object.values(world.spread(id))).toEqual([1, 1, 1]);
});

test('plan() says in the slot why a task has no node, and places it when one fits', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 1, {
    TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: { Constraints: ['node.labels.disk==ssd'] } },
  });

  world.converge();
  expect(world.tables.slots.get(`${id}.1`)?.value.pending?.reason).toBe(
    'no suitable node (scheduling constraints not satisfied on 3 nodes; wants node.labels.disk==ssd)',
  );

  const spec = world.tables.nodeSpecs.get(nodes[1]);
  if (spec) world.write('nodeSpecs', nodes[1], { ...spec.value, labels: { disk: 'ssd' } });
  world.converge();
  expect(world.spread(id)).toEqual({ [nodes[1]]: 1 });
  expect(world.tables.slots.get(`${id}.1`)?.value.pending).toBeUndefined();
});

test('plan() counts reservations and keeps host ports apart', () => {
  const world = new PlanWorld();
  world.addNode('h1', { memoryBytes: 3 * 2 ** 30 });
  world.addNode('h2', { memoryBytes: 3 * 2 ** 30 });
  const Resources = { Reservations: { MemoryBytes: 2 * 2 ** 30 } };
  const big = world.addService('big', 3, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
  const port = { Protocol: 'tcp', TargetPort: 80, PublishedPort: 80, PublishMode: 'host' } as const;
  const ported = world.addService('ported', 3, { EndpointSpec: { Ports: [port] } });

  world.converge();

  expect(runs(world, big)).toBe(2);
  expect(world.tables.slots.get(`${big}.3`)?.value.pending?.reason).toContain(
    'insufficient resources on 2 nodes; wants 2 GiB of memory',
  );
  expect(Object.values(world.spread(ported))).toEqual([1, 1]);
});

test('plan() surges when a node is lost and lets the original stay when it returns in time', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  const original = world.live(id).find((task) => task.nodeId === nodes[0]);

  world.setState(nodes[0], 'lost');
  world.converge();
  expect(world.live(id)).toHaveLength(4);
  expect(world.tables.slots.get(`${id}.${original?.slot}`)?.value.surge?.lostNodeId).toBe(nodes[0]);

  world.pass(20_000);
  world.setState(nodes[0], 'ready');
  world.converge();
  expect(world.live(id)).toHaveLength(3);
  expect(world.live(id).map((task) => task.id)).toContain(original?.id);
  expect(world.tables.slots.get(`${id}.${original?.slot}`)?.value.surge).toBeUndefined();
});

test('plan() keeps the stand-in when the lost node returns after a minute', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();

  world.pass(61_000);
  world.setState(nodes[0], 'ready');
  world.converge();

  expect(world.live(id)).toHaveLength(3);
  expect(world.spread(id)[nodes[0]]).toBeUndefined();
});

test('plan() replaces tasks of a removed node and remembers them as orphaned', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();

  world.removeNode(nodes[0]);
  world.converge();

  expect(world.live(id)).toHaveLength(3);
  const histories = [...world.tables.slots.values()].flatMap((slot) => slot.value.history);
  expect(histories.map((entry) => entry.state)).toEqual(['orphaned']);
});

test('plan() empties a drained node, pulling the image elsewhere before it stops', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();

  world.setAvailability(nodes[0], 'drain');
  world.lead();
  expect(world.live(id).filter((task) => task.nodeId === nodes[0])).toHaveLength(1);
  world.converge();

  expect(world.spread(id)[nodes[0]]).toBeUndefined();
  expect(runs(world, id)).toBe(3);
});

test('plan() moves a slot that keeps failing on one node', () => {
  const { world } = threeNodes();
  world.behaviours.set('bad', 'crashes');
  const id = world.addService('web', 1, { image: 'bad' });

  for (let round = 0; round < 60; round += 1) {
    world.lead();
    world.runAgents();
  }

  expect(Object.keys(world.tables.slots.get(`${id}.1`)?.value.failuresByNode ?? {}).length).toBeGreaterThan(0);
  expect(world.live(id).length).toBeLessThanOrEqual(1);
});

test('plan() runs a global service on every active node, new ones included, and not on drained ones', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('agent', 0, { Mode: { Global: {} } });
  world.converge();
  expect(Object.keys(world.spread(id)).sort()).toEqual([...nodes].sort());

  const fourth = world.addNode('h4');
  world.setAvailability(nodes[0], 'drain');
  world.converge();
  expect(Object.keys(world.spread(id)).sort()).toEqual([nodes[1], nodes[2], fourth].sort());
});

test('plan() restarts unhealthy tasks one at a time', () => {
  const { world } = threeNodes();
  world.behaviours.set('sick', 'unhealthy');
  const id = world.addService('web', 3, { image: 'sick' });
  world.lead();
  world.runAgents();

  world.lead();

  expect(world.live(id).filter((task) => task.replaceAttempt === 1)).toHaveLength(1);
});

test('plan() takes a removed service down and forgets it', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();

  world.remove(id);
  world.converge();

  expect(world.tables.services.size + world.tables.tasks.size + world.tables.slots.size).toBe(0);
});

test.each(['services', 'tasks', 'statuses', 'nodes', 'nodeSpecs', 'slots'] as const)(
  'plan() stops nothing when the bucket of %s is found empty',
  (table) => {
    const { world } = threeNodes();
    world.addService('web', 4);
    world.addService('agent', 0, { Mode: { Global: {} } });
    world.converge();

    world.tables[table].clear();

    const stops = actionsOf(world.plan()).filter(
      (action) => action.kind === 'update-task' && action.record.desired === 'stopped',
    );
    expect(stops).toEqual([]);
  },
);

test('plan() writes lost assignments again as they were, even when the slots are lost too', () => {
  for (const lost of [['tasks'], ['tasks', 'slots']] as const) {
    const { world } = threeNodes();
    const id = world.addService('web', 4);
    world.converge();
    const before = world
      .live(id)
      .map((task) => `${task.nodeId}.${task.id}`)
      .sort();

    for (const table of lost) world.tables[table].clear();
    world.converge();

    expect(
      world
        .live(id)
        .map((task) => `${task.nodeId}.${task.id}`)
        .sort(),
    ).toEqual(before);
  }
});

/** Tasks the next plan stops, or writes as stopped. */
function stopsPlanned(world: PlanWorld): string[] {
  return actionsOf(world.plan())
    .filter((action) => action.kind === 'update-task' || action.kind === 'create-task')
    .filter((action) => action.record.desired === 'stopped')
    .map(({ record }) => `${record.nodeId}.${record.id}`);
}

test('plan() after the loss of all assignments stops no slot whose number is above the count of replicas', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  const first = world.live(id).find((task) => task.slot === 1);
  for (const node of nodes.filter((name) => name !== first?.nodeId)) world.setState(node, 'lost');
  world.setState(first?.nodeId ?? '', 'lost');
  world.scale(id, 2);
  world.tables.tasks.delete(first?.id ?? '');
  const slot = world.tables.slots.get(`${id}.1`);
  if (slot) world.write('slots', `${id}.1`, { ...slot.value, assigned: [] });
  for (const node of nodes) world.setState(node, 'ready');
  world.tables.statuses.delete(first?.id ?? '');
  world.converge();
  const before = world.live(id).map((task) => task.id);

  world.tables.tasks.clear();

  expect(stopsPlanned(world)).toEqual([]);
  world.converge();
  expect(world.live(id).map((task) => task.id)).toEqual(before);
});

test('plan() after the loss of all assignments stops no task of a global service on a paused or suspect node', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('everywhere', 1, { Mode: { Global: {} } });
  world.converge();
  world.setAvailability(nodes[0], 'pause');
  world.setState(nodes[1], 'suspect');

  world.tables.tasks.clear();

  expect(stopsPlanned(world)).toEqual([]);
  world.setState(nodes[1], 'ready');
  world.converge();
  expect(world.live(id)).toHaveLength(3);
});

test('plan() after the loss of assignments and slots stops no task of a global service on a lost or paused node (seed 40123)', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('everywhere', 1, { Mode: { Global: {} } });
  world.converge();
  world.setAvailability(nodes[0], 'pause');
  world.setState(nodes[1], 'lost');

  world.tables.tasks.clear();
  world.tables.slots.clear();

  expect(stopsPlanned(world)).toEqual([]);
  world.converge();
  expect(world.live(id)).toHaveLength(3);
});

test('plan() after the loss of all assignments in a surge leaves the stand-in alone', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();

  world.tables.tasks.clear();

  expect(stopsPlanned(world)).toEqual([]);
  world.converge();
  expect(world.live(id)).toHaveLength(4);
});

test('plan() stops no task of a constrained service because the specification of its node is missing', () => {
  const { world, nodes } = threeNodes();
  const labelled = world.addNode('h4', { labels: { disk: 'ssd' } });
  const constrained = {
    TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: { Constraints: ['node.labels.disk==ssd'] } },
  };
  world.addService('db', 1, constrained);
  world.addService('logs', 1, { ...constrained, Mode: { Global: {} } });
  world.converge();

  world.tables.nodeSpecs.delete(labelled);

  expect(nodes).toHaveLength(3);
  expect(actionsOf(world.plan())).toEqual([]);
});

test('plan() keeps a stand-in while the returned host has not said what became of its task', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();
  expect(world.live(id)).toHaveLength(4);

  // The host was restarted: its agent beats before it has registered, and nothing runs there yet.
  world.states.set(nodes[0], { state: 'ready', sinceMs: world.now.wallMs, incarnation: 2 });

  expect(stopsPlanned(world)).toEqual([]);
  world.restartAgent(nodes[0]);
  world.converge();
  expect(world.live(id)).toHaveLength(3);
});

test('plan() waits no longer for a returned task because a clock was set back', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();
  world.behaviours.set('good', 'never-ready');
  world.setState(nodes[0], 'ready');
  world.restartAgent(nodes[0]);
  for (const task of world.live(id)) if (task.nodeId === nodes[0]) world.report(task, { ready: false });
  world.behaviours.clear();
  for (const task of world.live(id)) if (task.nodeId !== nodes[0]) world.report(task, { ready: true });

  world.pass(-24 * 3_600_000);
  world.lead();

  expect(world.live(id)).toHaveLength(3);
});

test('plan() makes no task under the id of one it has found again after the loss of all records of the leader', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 1);
  world.converge();
  world.tables.tasks.clear();
  world.tables.slots.clear();
  world.lead();

  world.update(id, 'v2');
  world.converge();

  expect(world.live(id).map((task) => task.template.ContainerSpec.Image)).toEqual(['v2']);
});

test('plan() stops no stand-in when the records of its slot are lost with all assignments', () => {
  const { world, nodes } = threeNodes();
  const id = world.addService('web', 3);
  world.converge();
  world.setState(nodes[0], 'lost');
  world.converge();

  world.tables.slots.clear();
  world.tables.tasks.clear();

  expect(stopsPlanned(world)).toEqual([]);
  world.setState(nodes[0], 'ready');
  world.converge();
  expect(world.live(id)).toHaveLength(3);
});

test('plan() goes on with the other services when one cannot be planned', () => {
  const { world } = threeNodes();
  const broken = world.addService('broken', 1);
  const sound = world.addService('sound', 2);
  world.write('services', broken, { ...world.service(broken), spec: { Name: 'broken' } as never });

  const made = world.plan();

  expect(made.failures).toMatchObject([{ of: { serviceId: broken } }]);
  expect(
    actionsOf(made)
      .filter((action) => action.kind === 'create-task')
      .map(({ record }) => record.serviceId),
  ).toEqual([sound, sound]);
});

test('plan() of a removed service tells a node to stop whose assignment was lost, before it forgets the service', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 1);
  world.converge();
  const [task] = world.live(id);

  world.remove(id);
  world.tables.tasks.clear();

  const [restored] = actionsOf(world.plan()).filter((action) => action.kind === 'create-task');
  expect(restored?.record).toMatchObject({ id: task?.id, desired: 'stopped' });
  world.converge();
  expect([world.tables.services.size, world.tables.tasks.size, world.tables.slots.size]).toEqual([0, 0, 0]);
});

test('plan() makes no task under the id of another when the slot came back older than it was', () => {
  const { world } = threeNodes();
  const id = world.addService('web', 1);
  world.converge();
  const older = new Map(world.tables.slots);
  world.update(id, 'v2');
  world.converge();
  const [task] = world.live(id);
  const doneBefore = world.done.length;

  for (const [key, entry] of older) world.tables.slots.set(key, entry);
  world.setAvailability(task?.nodeId ?? '', 'drain');
  world.converge();

  const made = world.done.slice(doneBefore).filter((action) => action.kind === 'create-task');
  expect(made.length).toBeGreaterThan(0);
  expect(made.map((action) => action.record.id)).not.toContain(task?.id);
  expect(world.live(id)).toHaveLength(1);
});
