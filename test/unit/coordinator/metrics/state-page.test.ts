import { beforeEach, describe, expect, it } from 'vitest';
import { statePage } from '../../../../coordinator/metrics/state-page.ts';
import { MAX_TASKS_WITH_SERIES } from '../../../../coordinator/metrics/task-families.ts';
import type { Snapshot } from '../../../../coordinator/store/snapshot.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

async function pageOf(snapshot: Snapshot, plannedVersion?: number): Promise<string> {
  let page = '';
  for await (const piece of statePage(
    snapshot,
    () => plannedVersion,
    async () => {},
  )) {
    page += piece;
  }
  return page;
}

/** The value of the one series of `name` that has these labels; undefined when there is none. */
function valueIn(page: string, name: string, labels: Record<string, string> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const matches = page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(`{${pair}`) || line.includes(`,${pair}`)));
  if (matches.length > 1) throw new Error(`${name} has ${matches.length} such series`);
  return matches[0] === undefined ? undefined : Number(matches[0].slice(matches[0].lastIndexOf(' ') + 1));
}

describe('statePage()', () => {
  let world: PlanWorld;

  beforeEach(() => {
    world = new PlanWorld();
  });

  const value = async (name: string, labels: Record<string, string> = {}) =>
    valueIn(await pageOf(world.snapshot()), name, labels);

  it('counts what a service wants and has', async () => {
    world.addNode('h1');
    world.addService('web', 3, { Labels: { 'com.docker.stack.namespace': 'shop' } });
    world.converge();

    expect(await value('plimsoll_service_spec_replicas', { service: 'web', stack: 'shop' })).toBe(3);
    expect(await value('plimsoll_service_status_replicas', { service: 'web' })).toBe(3);
    expect(await value('plimsoll_service_status_replicas_ready', { service: 'web' })).toBe(3);
    expect(await value('plimsoll_service_info', { service: 'web', mode: 'replicated', image: 'good' })).toBe(1);
  });

  it('counts a task that runs unready as running only', async () => {
    world.behaviours.set('slow', 'never-ready');
    world.addNode('h1');
    world.addService('web', 1, { image: 'slow' });
    world.converge();

    expect(await value('plimsoll_service_status_replicas', { service: 'web' })).toBe(1);
    expect(await value('plimsoll_service_status_replicas_ready', { service: 'web' })).toBe(0);
    expect(await value('plimsoll_service_status_replicas_unavailable', { service: 'web' })).toBe(1);
  });

  it('counts tasks of a suspect node as ready, not as available, and those of a lost node as neither', async () => {
    const node = world.addNode('h1');
    world.addService('web', 2);
    world.converge();

    world.setState(node, 'suspect');
    expect(await value('plimsoll_service_status_replicas_ready', { service: 'web' })).toBe(2);
    expect(await value('plimsoll_service_status_replicas_available', { service: 'web' })).toBe(0);
    expect(await value('plimsoll_node_status_condition', { condition: 'Ready', status: 'unknown' })).toBe(1);

    world.setState(node, 'lost');
    expect(await value('plimsoll_service_status_replicas_ready', { service: 'web' })).toBe(0);
    expect(await value('plimsoll_node_status_condition', { condition: 'Ready', status: 'false' })).toBe(1);
    expect(await value('plimsoll_node_status_allocatable', { node: 'h1', resource: 'memory' })).toBe(0);
    expect(await value('plimsoll_node_status_state', { node: 'h1', state: 'lost' })).toBe(1);
    expect(await value('plimsoll_node_status_state', { node: 'h1', state: 'ready' })).toBe(0);
  });

  it('says in a word why tasks wait', async () => {
    world.addNode('h1', { memoryBytes: 2 ** 30 });
    const Resources = { Reservations: { MemoryBytes: 2 ** 34 } };
    world.addService('big', 2, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
    world.converge();

    expect(await value('plimsoll_service_tasks_pending', { service: 'big', reason: 'resources' })).toBe(2);
  });

  it('wants for a global service one task on every node that fits', async () => {
    world.addNode('h1');
    world.addNode('h2');
    world.addService('agent', 0, { Mode: { Global: {} } });
    world.converge();

    expect(await value('plimsoll_service_spec_replicas', { service: 'agent' })).toBe(2);
    expect(await value('plimsoll_service_status_replicas', { service: 'agent' })).toBe(2);
  });

  it('wants nothing of a service that is being removed, and forgets it afterwards', async () => {
    world.addNode('h1');
    const web = world.addService('web', 2);
    world.converge();

    world.remove(web);
    expect(await value('plimsoll_service_spec_replicas', { service: 'web' })).toBe(0);

    world.converge();
    expect(await value('plimsoll_service_spec_replicas', { service: 'web' })).toBeUndefined();
  });

  it('shows each task with its state, and what a node carries', async () => {
    world.addNode('h1', { nanoCpus: 2e9 });
    const Resources = { Reservations: { NanoCPUs: 5e8 } };
    world.addService('web', 2, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
    world.converge();

    const task = world.live(derivedId('service', 'web'))[1]?.id ?? '';
    expect(await value('plimsoll_task_status_state', { service: 'web', task, state: 'running' })).toBe(1);
    expect(await value('plimsoll_task_status_state', { service: 'web', task, state: 'failed' })).toBe(0);
    expect(await value('plimsoll_task_info', { task, slot: '2', node: 'h1', image: 'good' })).toBe(1);
    expect(await value('plimsoll_task_resource_requests', { task, resource: 'cpu' })).toBe(0.5);
    expect(await value('plimsoll_node_status_tasks_running', { node: 'h1' })).toBe(2);
    expect(await value('plimsoll_node_status_capacity', { node: 'h1', resource: 'cpu', unit: 'core' })).toBe(2);
    expect(await value('plimsoll_node_status_reserved', { node: 'h1', resource: 'cpu' })).toBe(1);
  });

  it('serves no series per task in a very large cluster', async () => {
    world.addNode('h1');
    world.addService('web', 1);
    world.converge();
    const [task] = world.tables.tasks.values();
    if (!task) throw new Error('There is no task to copy');
    for (let number = 0; number < MAX_TASKS_WITH_SERIES; number += 1) {
      world.tables.tasks.set(derivedId('copy', number), task);
    }

    expect(await value('plimsoll_task_info')).toBeUndefined();
    expect(await value('plimsoll_service_status_replicas', { service: 'web' })).toBeGreaterThan(0);
  });

  it('tells the state of an update and who leads', async () => {
    const node = world.addNode('h1');
    const web = world.addService('web', 1);
    world.converge();
    expect(await value('plimsoll_service_update_state', { state: 'updating' })).toBeUndefined();
    expect(await value('plimsoll_leader')).toBeUndefined();

    world.update(web, 'better');
    world.lead();
    const leader = { coordinatorId: 'c1', nodeId: node, epoch: 4 };
    const led = await pageOf({ ...world.snapshot(), leader });

    expect(await value('plimsoll_service_update_state', { service: 'web', state: 'updating' })).toBe(1);
    expect(await value('plimsoll_service_update_state', { service: 'web', state: 'completed' })).toBe(0);
    expect(valueIn(led, 'plimsoll_leader', { node: 'h1' })).toBe(1);
    expect(valueIn(led, 'plimsoll_leader_epoch')).toBe(4);
  });

  it('tells the version of a specification and the one the leader has planned from', async () => {
    const web = world.addService('web', 1);
    const version = world.tables.services.get(web)?.revision;
    const page = await pageOf(world.snapshot(), 2);

    expect(valueIn(page, 'plimsoll_service_spec_version', { service: 'web' })).toBe(version);
    expect(valueIn(page, 'plimsoll_service_observed_version', { service: 'web' })).toBe(2);
    expect(await pageOf(world.snapshot())).not.toMatch(/^plimsoll_service_observed_version\{/m);
  });

  it('shows one service of a name whose former owner is still being removed', async () => {
    world.addNode('h1');
    const old = world.addService('web', 1);
    const entry = world.tables.services.get(old);
    world.remove(old);
    if (entry)
      world.write('services', derivedId('service', 'web', 2), { ...entry.value, id: derivedId('service', 'web', 2) });

    expect(await value('plimsoll_service_spec_replicas', { service: 'web' })).toBe(1);
  });

  it('escapes what a user wrote', async () => {
    world.addService('web', 1, { image: 'a"b\\c\nd' });

    expect(await pageOf(world.snapshot())).toContain('image="a\\"b\\\\c\\nd"');
  });

  it('lets others have their turn, and writes every line whole', async () => {
    world.addNode('h1');
    world.addService('web', 200);
    world.converge();
    let pauses = 0;
    const pieces: string[] = [];
    const pause = async () => {
      pauses += 1;
    };
    for await (const piece of statePage(world.snapshot(), () => undefined, pause)) pieces.push(piece);

    expect(pauses).toBeGreaterThan(5);
    expect(pieces.every((piece) => piece.endsWith('\n') && !piece.includes('\n\n'))).toBe(true);
  });
});
