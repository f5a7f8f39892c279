import { beforeEach, describe, expect, it } from 'vitest';
import { type Observation, Transitions } from '../../../../coordinator/metrics/transitions.ts';
import type { ScaleRecord } from '../../../../model/scale-record.ts';
import type { ExitRecord, StatusRecord } from '../../../../model/status-record.ts';
import { PlanWorld } from '../../../support/plan-world.ts';
import { entryOf } from '../../../support/snapshots.ts';

describe('Transitions', () => {
  let world: PlanWorld;
  let transitions: Transitions;
  let web: string;
  let scale: ScaleRecord | undefined;

  beforeEach(() => {
    scale = undefined;
    world = new PlanWorld();
    world.addNode('h1');
    transitions = new Transitions({
      service: (id) => world.tables.services.get(id),
      scale: () => scale && entryOf(web, scale),
      node: (id) => world.tables.nodes.get(id),
      slot: (key) => world.tables.slots.get(key),
      status: (id) => world.tables.statuses.get(id),
    });
    web = world.addService('web', 1);
  });

  const nowMs = () => world.now.elapsedMs;
  const slots = () => [...world.tables.slots].forEach(([key, entry]) => transitions.onSlot(key, entry));
  const tasks = () => [...world.tables.tasks].flatMap(([key, entry]) => transitions.onTask(key, entry));
  const statuses = () =>
    [...world.tables.statuses].flatMap(([key, entry]) => transitions.onStatus(key, entry, nowMs()));
  const rollouts = () => [...world.tables.rollouts].flatMap(([key, entry]) => transitions.onRollout(key, entry));

  function lead(): Observation[] {
    world.lead();
    slots();
    return tasks();
  }

  function onlyTask(): string {
    const [task] = world.live(web);
    if (!task) throw new Error('there is no task');
    return task.id;
  }

  function report(change: Partial<StatusRecord>): Observation[] {
    const task = world.tables.tasks.get(onlyTask());
    if (task) world.report(task.value, change);
    return statuses();
  }

  it('times a task from the wish to its node, and from there to running, once', () => {
    world.pass(40);
    expect(lead()).toEqual([{ kind: 'scheduled', seconds: 0.04 }]);

    world.pass(300);
    expect(report({ state: 'starting' })).toEqual([]);
    world.pass(200);
    expect(report({ state: 'running', ready: true })).toEqual([{ kind: 'started', seconds: 0.5 }]);
    expect(report({ state: 'failed', ready: false })).toEqual([]);
    expect(report({ state: 'running', ready: true, attempt: 2 })).toEqual([]);
  });

  it('times a task the autoscaler asked for from when it did, not from when the service was made', () => {
    world.pass(60_000);
    const changedAtMs = world.now.wallMs;
    scale = { v: 1, epoch: 1, serviceId: web, replicas: 1, reason: 'load', decidedAtMs: changedAtMs, changedAtMs };
    world.pass(40);
    expect(lead()).toEqual([{ kind: 'scheduled', seconds: 0.04 }]);
  });

  it('times a task that fitted no node from when that was found', () => {
    const big = {
      TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: { Constraints: ['node.labels.disk==ssd'] } },
    };
    world.remove(web);
    world.addService('big', 1, big);
    lead();

    world.pass(7_000);
    world.addNode('h2', { labels: { disk: 'ssd' } });

    expect(lead()).toContainEqual({ kind: 'scheduled', seconds: 7 });
  });

  it('forgets the wait of a slot that gave up before it had a node', () => {
    const far = {
      TaskTemplate: { ContainerSpec: { Image: 'good' }, Placement: { Constraints: ['node.labels.disk==ssd'] } },
    };
    world.remove(web);
    const id = world.addService('far', 1, far);
    lead();
    world.pass(60_000);
    world.update(id, 'good', { TaskTemplate: { ContainerSpec: { Image: 'good' } } });
    world.scale(id, 0);
    lead();
    world.pass(60_000);
    world.scale(id, 1);
    world.addNode('h2', { labels: { disk: 'ssd' } });

    const waits = lead().flatMap((one) => (one.kind === 'scheduled' ? [one.seconds] : []));

    expect(waits.every((seconds) => seconds < 60)).toBe(true);
  });

  it('does not take the tasks of a roll-out, which wait for their turn, for waiting for a node', () => {
    lead();
    world.converge();
    tasks();
    world.pass(60_000);

    world.update(web, 'better');

    expect(lead()).toEqual([]);
  });

  it('times a stand-in from the loss of the node', () => {
    lead();
    world.converge();
    statuses();
    world.addNode('h2');
    const lost = world.live(web)[0]?.nodeId ?? '';
    world.setState(lost, 'lost');
    transitions.onNodeState(lost, 'lost', nowMs());

    world.pass(30);
    lead();
    world.pass(600);
    world.runAgents();

    expect(statuses()).toEqual([
      { kind: 'started', seconds: 0.6 },
      { kind: 'failed-over', seconds: 0.63 },
    ]);
  });

  it('counts each restart with the reason its last attempt ended for, and those it cannot explain', () => {
    lead();
    report({ state: 'running', ready: true });
    const exit = (attempt: number, change: Partial<ExitRecord>): ExitRecord => ({
      attempt,
      containerId: 'c',
      exitCode: 1,
      oomKilled: false,
      error: '',
      finishedAtMs: 0,
      state: 'failed',
      ...change,
    });
    const name = { service: 'web', stack: '' };

    expect(report({ attempt: 2, restarts: 1, exits: [exit(1, {})] })).toEqual([
      { kind: 'restarted', name, reason: 'failed' },
    ]);
    const exits = [exit(1, {}), exit(2, { oomKilled: true }), exit(3, { state: 'complete', exitCode: 0 })];
    expect(report({ attempt: 5, restarts: 4, oomKills: 1, exits })).toEqual([
      { kind: 'restarted', name, reason: 'completed' },
      { kind: 'restarted', name, reason: 'oom' },
      { kind: 'restarted', name, reason: 'unknown' },
      { kind: 'oom-killed', name, count: 1 },
    ]);
    expect(report({ attempt: 6, restarts: 5, exits: [exit(5, { state: 'shutdown' })] })).toEqual([
      { kind: 'restarted', name, reason: 'replaced' },
    ]);
  });

  it('takes what was there before for known, and a report that is said again for the same', () => {
    lead();
    report({ state: 'running', restarts: 3, attempt: 4 });
    const late = new Transitions({
      service: (id) => world.tables.services.get(id),
      scale: () => scale && entryOf(web, scale),
      node: () => undefined,
      slot: (key) => world.tables.slots.get(key),
      status: (id) => world.tables.statuses.get(id),
    });
    const [task, status] = [world.tables.tasks.get(onlyTask()), world.tables.statuses.get(onlyTask())];

    expect(late.onTask(onlyTask(), task)).toEqual([]);
    expect(late.onStatus(onlyTask(), undefined, nowMs())).toEqual([]);
    expect(late.onStatus(onlyTask(), status, nowMs())).toEqual([]);
  });

  it('times a roll-out from its beginning to its end', () => {
    lead();
    world.converge();
    rollouts();
    world.update(web, 'better', { UpdateConfig: { Monitor: 2e9 } });
    world.lead();
    expect(rollouts()).toEqual([]);

    world.converge();
    world.pass(5_000);
    world.converge();

    expect(rollouts()).toEqual([{ kind: 'rolled-out', outcome: 'completed', seconds: 5 }]);
    expect(rollouts()).toEqual([]);
  });
});
