import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const jobOf = (TotalCompletions: number, MaxConcurrent: number): Partial<ServiceSpec> => ({
  Mode: { ReplicatedJob: { TotalCompletions, MaxConcurrent } },
});
const perNode: Partial<ServiceSpec> = { Mode: { GlobalJob: {} } };

describe('jobs', () => {
  let world: PlanWorld;
  let nodes: string[];

  beforeEach(() => {
    world = new PlanWorld();
    nodes = ['h1', 'h2', 'h3'].map((name) => world.addNode(name));
  });

  const statesOf = (id: string) =>
    [...world.tables.statuses.values()].filter(({ value }) => value.serviceId === id).map(({ value }) => value.state);
  const slotsOf = (id: string) => world.live(id).map((task) => task.slot);
  const isComplete = (slot: number, id: string) => world.tables.slots.get(`${id}.${slot}`)?.value.completedRevision;

  it('runs as many at a time as it may, until all have completed, and then rests', () => {
    const id = world.addService('job', 0, jobOf(5, 2));

    world.converge();
    expect(slotsOf(id)).toEqual([1, 2]);
    world.behaviours.set('good', 'exits');
    world.converge();

    expect(slotsOf(id).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(statesOf(id)).toEqual(Array.from({ length: 5 }, () => 'complete'));
    expect(world.done.filter(({ kind }) => kind === 'create-task')).toHaveLength(5);
  });

  it('writes down again what completed when the records of its slots are lost (simulation, seed 2)', () => {
    world.behaviours.set('good', 'exits');
    const id = world.addService('job', 0, jobOf(2, 2));
    world.converge();

    world.tables.slots.clear();
    world.converge();

    expect([1, 2].map((slot) => isComplete(slot, id))).toEqual([1, 1]);
  });

  it('leaves the room of its tasks to others when they have ended, and waits for room to run again', () => {
    const large = (image: string) => ({
      ContainerSpec: { Image: image },
      Resources: { Reservations: { MemoryBytes: 5 * 2 ** 30 } },
    });
    world.behaviours.set('job', 'exits');
    const job = world.addService('job', 0, { ...jobOf(3, 3), TaskTemplate: large('job') });
    world.converge();
    expect(statesOf(job)).toEqual(['complete', 'complete', 'complete']);

    const web = world.addService('web', 3, { TaskTemplate: large('good') });
    world.converge();
    expect(new Set(world.live(web).map(({ nodeId }) => nodeId))).toEqual(new Set(nodes));

    world.behaviours.set('better', 'exits');
    world.update(job, 'better');
    world.converge();
    expect(world.live(job).filter(({ revision }) => revision === 2)).toHaveLength(0);
    expect(world.tables.slots.get(`${job}.1`)?.value.pending?.reason).toMatch(/no suitable node/);
  });

  it('runs again when it is updated: old tasks go, new ones complete', () => {
    world.behaviours.set('good', 'exits');
    const id = world.addService('job', 0, jobOf(3, 3));
    world.converge();
    const before = world.live(id).map((task) => task.id);

    world.behaviours.set('better', 'exits');
    world.update(id, 'better');
    world.converge();

    const after = world.live(id);
    expect(after.map((task) => task.revision)).toEqual([2, 2, 2]);
    expect(after.filter((task) => before.includes(task.id))).toEqual([]);
    expect([1, 2, 3].map((slot) => isComplete(slot, id))).toEqual([2, 2, 2]);
  });

  it('gives a slot to another node when its node is lost, and what has completed never runs again', () => {
    const id = world.addService('job', 0, jobOf(3, 3));
    world.converge();
    world.behaviours.set('good', 'exits');
    const [done] = world.live(id);
    const lost = done?.nodeId ?? '';
    world.report(done!, { state: 'complete', ready: false, final: true, exitCode: 0 });
    world.lead();
    world.setState(lost, 'lost');
    world.converge();

    expect(world.done.filter(({ kind }) => kind === 'create-task')).toHaveLength(3);
    world.removeNode(lost);
    world.converge();
    expect(world.done.filter(({ kind }) => kind === 'create-task')).toHaveLength(3);
    expect([1, 2, 3].map((slot) => isComplete(slot, id))).toEqual([1, 1, 1]);
  });

  it('replaces a task on a lost node and ends the other when one completes', () => {
    const id = world.addService('job', 0, jobOf(1, 1));
    world.converge();
    const [first] = world.live(id);
    world.setState(first?.nodeId ?? '', 'lost');
    world.converge();
    expect(world.live(id)).toHaveLength(2);

    world.behaviours.set('good', 'exits');
    world.converge();
    world.setState(first?.nodeId ?? '', 'ready');
    world.converge();

    expect(world.live(id)).toHaveLength(1);
    expect(world.live(id)[0]?.id).not.toBe(first?.id);
  });

  it('leaves a slot alone whose restart policy is at its end, and goes on with the others', () => {
    const id = world.addService('job', 0, jobOf(2, 1));
    world.lead();
    const [first] = world.live(id);
    world.report(first!, { state: 'failed', ready: false, final: true, exitCode: 3 });
    world.behaviours.set('good', 'exits');
    world.lead();

    expect(slotsOf(id)).toEqual([1, 2]);
    expect(world.done.filter(({ kind }) => kind === 'create-task')).toHaveLength(2);
  });

  it('a global one runs once on every node, on one that joins later too, and not on drained ones', () => {
    world.behaviours.set('good', 'exits');
    world.setAvailability(nodes[2] ?? '', 'drain');
    const id = world.addService('job', 0, perNode);
    world.converge();
    expect(
      world
        .live(id)
        .map((task) => task.nodeId)
        .sort(),
    ).toEqual(nodes.slice(0, 2).sort());

    const late = world.addNode('h4');
    world.converge();

    expect(world.live(id).map((task) => task.nodeId)).toContain(late);
    expect(world.done.filter(({ kind }) => kind === 'create-task')).toHaveLength(3);
  });

  it('tells the agent that exit code 0 is the end', () => {
    const id = world.addService('job', 0, jobOf(1, 1));
    world.lead();

    expect(world.live(id)[0]).toMatchObject({ job: true });
  });

  it('is taken down like any service', () => {
    world.behaviours.set('good', 'exits');
    const id = world.addService('job', 0, jobOf(3, 3));
    world.converge();

    world.remove(id);
    world.converge();

    expect(world.tables.tasks.size + world.tables.slots.size + world.tables.services.size).toBe(0);
  });
});
