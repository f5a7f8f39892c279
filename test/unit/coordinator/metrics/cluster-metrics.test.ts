import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { registerClusterMetrics } from '../../../../coordinator/metrics/cluster-metrics.ts';
import { MAX_TASKS_WITH_SERIES } from '../../../../coordinator/metrics/task-families.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

describe('registerClusterMetrics()', () => {
  let world: PlanWorld;
  let registry: Registry;

  beforeEach(() => {
    world = new PlanWorld();
    registry = new Registry();
    registerClusterMetrics(registry, () => world.snapshot());
  });

  /** The value of the one series of `name` that has these labels; undefined when there is none. */
  async function value(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const metric = await registry.getSingleMetric(name)?.get();
    const matches = metric?.values.filter((series) =>
      Object.entries(labels).every(([label, wanted]) => series.labels[label] === wanted),
    );
    if ((matches?.length ?? 0) > 1) throw new Error(`${name} has ${matches?.length} such series`);
    return matches?.[0]?.value;
  }

  it('counts what a service wants and has', async () => {
    world.addNode('h1');
    world.addService('web', 3, { Labels: { 'com.docker.stack.namespace': 'shop' } });
    world.converge();

    expect(await value('plimsoll_service_replicas_desired', { service: 'web', stack: 'shop' })).toBe(3);
    expect(await value('plimsoll_service_replicas_running', { service: 'web' })).toBe(3);
    expect(await value('plimsoll_service_replicas_ready', { service: 'web' })).toBe(3);
    expect(await value('plimsoll_service_info', { service: 'web', mode: 'replicated', image: 'good' })).toBe(1);
  });

  it('counts a task that runs unready as running only', async () => {
    world.behaviours.set('slow', 'never-ready');
    world.addNode('h1');
    world.addService('web', 1, { image: 'slow' });
    world.converge();

    expect(await value('plimsoll_service_replicas_running', { service: 'web' })).toBe(1);
    expect(await value('plimsoll_service_replicas_ready', { service: 'web' })).toBe(0);
  });

  it('does not count tasks of a lost node as running', async () => {
    const node = world.addNode('h1');
    world.addService('web', 2);
    world.converge();

    world.setState(node, 'lost');

    expect(await value('plimsoll_service_replicas_running', { service: 'web' })).toBe(0);
    expect(await value('plimsoll_node_state', { node: 'h1', state: 'lost' })).toBe(1);
    expect(await value('plimsoll_node_state', { node: 'h1', state: 'ready' })).toBe(0);
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

    expect(await value('plimsoll_service_replicas_desired', { service: 'agent' })).toBe(2);
    expect(await value('plimsoll_service_replicas_running', { service: 'agent' })).toBe(2);
  });

  it('wants nothing of a service that is being removed, and forgets it afterwards', async () => {
    world.addNode('h1');
    const web = world.addService('web', 2);
    world.converge();

    world.remove(web);
    expect(await value('plimsoll_service_replicas_desired', { service: 'web' })).toBe(0);

    world.converge();
    expect(await value('plimsoll_service_replicas_desired', { service: 'web' })).toBeUndefined();
  });

  it('shows each task with its state, and what a node carries', async () => {
    world.addNode('h1', { nanoCpus: 2e9 });
    const Resources = { Reservations: { NanoCPUs: 5e8 } };
    world.addService('web', 2, { TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources } });
    world.converge();

    expect(await value('plimsoll_task_state', { service: 'web', slot: '2', state: 'running', node: 'h1' })).toBe(1);
    expect(await value('plimsoll_node_tasks_running', { node: 'h1' })).toBe(2);
    expect(await value('plimsoll_node_cpu_cores', { node: 'h1' })).toBe(2);
    expect(await value('plimsoll_node_reserved_cpu_cores', { node: 'h1' })).toBe(1);
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

    expect(await value('plimsoll_task_state')).toBeUndefined();
    expect(await value('plimsoll_service_replicas_running', { service: 'web' })).toBeGreaterThan(0);
  });

  it('tells the state of an update and who leads', async () => {
    const node = world.addNode('h1');
    const web = world.addService('web', 1);
    world.converge();
    expect(await value('plimsoll_service_update_state', { state: 'updating' })).toBeUndefined();
    expect(await value('plimsoll_leader')).toBeUndefined();

    world.update(web, 'better');
    world.lead();
    const led = new Registry();
    const leader = { coordinatorId: 'c1', nodeId: node, epoch: 4 };
    registerClusterMetrics(led, () => ({ ...world.snapshot(), leader }));

    expect(await value('plimsoll_service_update_state', { service: 'web', state: 'updating' })).toBe(1);
    expect(await value('plimsoll_service_update_state', { service: 'web', state: 'completed' })).toBe(0);
    expect((await led.metrics()).match(/plimsoll_leader\{.*\} 1\n/)?.[0]).toContain('node="h1"');
  });
});
