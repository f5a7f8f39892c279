import { beforeEach, describe, expect, it } from 'vitest';
import type { RestartPolicy } from '../../../../model/service-spec.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

let world: PlanWorld;
let nodes: string[];

beforeEach(() => {
  world = new PlanWorld();
  nodes = ['h1', 'h2', 'h3'].map((name) => world.addNode(name));
});

function restarting(RestartPolicy: RestartPolicy, image = 'good') {
  return world.addService('web', 1, { image, TaskTemplate: { ContainerSpec: { Image: image }, RestartPolicy } });
}

function only(id: string): TaskRecord {
  const [task, ...others] = world.live(id);
  if (!task || others.length > 0) throw new Error('not one task');
  return task;
}

describe('restarts that count', () => {
  it('follow the slot away from a node where it kept failing; the move is one of them', () => {
    const web = restarting({ MaxAttempts: 10 });
    world.converge();
    const first = only(web);
    world.report(first, { state: 'failed', ready: false, failures: 5, restarts: 4, restartedAtMs: [1, 2, 3, 4] });
    world.lead();

    const next = world.live(web).find(({ id }) => id !== first.id);
    expect(next?.nodeId).not.toBe(first.nodeId);
    expect(next?.priorRestarts).toEqual({ count: 5, atMs: [1, 2, 3, 4, world.now.wallMs] });
  });

  it('follow the slot from a drained and from a lost node, which count as none', () => {
    const web = restarting({ MaxAttempts: 10 });
    world.converge();
    world.report(only(web), { restarts: 3 });
    world.setAvailability(only(web).nodeId, 'drain');
    world.converge();
    expect(only(web).priorRestarts?.count).toBe(3);

    world.report(only(web), { restarts: 2 });
    const lost = only(web);
    world.setState(lost.nodeId, 'lost');
    world.converge();

    const standIn = world.live(web).find(({ id }) => id !== lost.id);
    expect(standIn?.priorRestarts?.count).toBe(5);
  });

  it('are remembered once the tasks that made them are forgotten', () => {
    const web = restarting({ MaxAttempts: 10 });
    world.converge();
    world.report(only(web), { restarts: 3 });
    world.removeNode(only(web).nodeId);
    world.converge();

    expect(only(web).priorRestarts?.count).toBe(3);
  });

  it('begin anew with every revision, an old one that comes back included', () => {
    const web = restarting({ MaxAttempts: 10 });
    world.converge();
    world.report(only(web), { restarts: 3 });
    world.update(web, 'better');
    world.converge();
    expect(only(web).priorRestarts).toBeUndefined();

    world.rollBack(web);
    world.converge();

    expect(only(web).priorRestarts).toBeUndefined();
  });

  it('are written again with an assignment that was lost', () => {
    const web = restarting({ MaxAttempts: 10 });
    world.converge();
    world.report(only(web), { restarts: 3 });
    world.setAvailability(only(web).nodeId, 'drain');
    world.converge();

    world.tables.tasks.clear();
    world.converge();

    expect(only(web).priorRestarts?.count).toBe(3);
  });

  it('are not counted where nothing limits them', () => {
    const web = restarting({});
    world.converge();
    world.report(only(web), { restarts: 3 });
    world.setAvailability(only(web).nodeId, 'drain');
    world.converge();

    expect(only(web)).not.toHaveProperty('priorRestarts');
  });
});

describe('a task its restart policy is done with', () => {
  it.each(['drain', 'loss'])('does not run once more for the %s of its node', (what) => {
    world.behaviours.set('once', 'exits');
    const web = restarting({ Condition: 'none' }, 'once');
    world.converge();
    const before = only(web);
    if (what === 'drain') world.setAvailability(before.nodeId, 'drain');
    else world.setState(before.nodeId, 'lost');
    world.converge();

    expect(only(web).id).toBe(before.id);
    expect(nodes).toContain(before.nodeId);
  });
});
