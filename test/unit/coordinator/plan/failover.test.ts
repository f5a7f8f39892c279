import { describe, expect, test } from 'vitest';
import { untilGivenUpMs } from '../../../../coordinator/plan/failover.ts';
import type { PlanNode } from '../../../../coordinator/plan/nodes.ts';
import { FAILOVER_AFTER_LABEL, ON_DISCONNECT_LABEL } from '../../../../model/service-policy.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';
import { aTask } from '../../../support/tasks.ts';

type Lost = Pick<PlanNode, 'lost' | 'lostForMs' | 'silentForMs'>;

const here: Lost = { lost: false, lostForMs: undefined, silentForMs: undefined };
const lostFor = (lostForMs: number, silentForMs = lostForMs): Lost => ({ lost: true, lostForMs, silentForMs });
const hungFor = (lostForMs: number): Lost => ({ lost: true, lostForMs, silentForMs: undefined });

describe('when a task is given up', () => {
  test.each<[string, Record<string, string>, Lost, number | undefined]>([
    ['its node is there', {}, here, undefined],
    ['nothing was said: at once', {}, lostFor(0), 0],
    ['keep, after 1m, lost for 20 s', { [FAILOVER_AFTER_LABEL]: '1m' }, lostFor(20_000), 40_000],
    ['keep, after 1m, lost for 2 min', { [FAILOVER_AFTER_LABEL]: '1m' }, lostFor(120_000), 0],
    ['keep, after 1m, engine hung for 30 s', { [FAILOVER_AFTER_LABEL]: '1m' }, hungFor(30_000), 30_000],
    ['stop: twice the default of 30 s', { [ON_DISCONNECT_LABEL]: 'stop' }, lostFor(2_000, 4_000), 56_000],
    [
      'stop, after 20s, silent for 39 s',
      { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' },
      lostFor(37_000, 39_000),
      1_000,
    ],
    [
      'stop, after 20s, silent for 40 s',
      { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' },
      lostFor(38_000, 40_000),
      0,
    ],
    ['stop, the agent is there and cannot stop it', { [ON_DISCONNECT_LABEL]: 'stop' }, hungFor(600_000), undefined],
  ])('%s', (_, serviceLabels, node, expected) => {
    expect(untilGivenUpMs(aTask({ serviceLabels }), node as PlanNode)).toBe(expected);
  });
});

describe('plan() of a service that stops when cut off', () => {
  const h1 = derivedId('node', 'h1');

  function cutOff(Order: 'start-first' | 'stop-first' = 'stop-first') {
    const world = new PlanWorld();
    world.addNode('h1');
    const id = world.addService('db', 1, {
      Labels: { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' },
      UpdateConfig: { Order },
    });
    world.converge();
    world.addNode('h2');
    world.setState(h1, 'lost');
    return { world, id };
  }

  const running = (world: PlanWorld, id: string) => world.live(id).filter((task) => task.desired === 'running');

  test('makes no stand-in before twice the time', () => {
    const { world, id } = cutOff();

    world.pass(39_000);
    world.converge();
    expect(world.live(id)).toHaveLength(1);
    expect((world.plan().nextAtMs ?? 0) - world.now.wallMs).toBeLessThanOrEqual(1_000);

    world.pass(1_000);
    world.converge();
    expect(running(world, id)).toHaveLength(2);
  });

  test('an update meanwhile has its new task wait as well, whatever the order', () => {
    const { world, id } = cutOff('start-first');
    world.update(id, 'v2');

    world.pass(39_000);
    world.converge();
    expect(running(world, id).filter((task) => task.nodeId !== h1)).toEqual([]);

    world.pass(1_000);
    world.converge();
    expect(running(world, id).map((task) => task.template.ContainerSpec.Image)).toEqual(['v2']);
  });

  test('a task its agent stopped runs again when told to, and not before the stand-in has gone', () => {
    const { world, id } = cutOff();
    const [original] = world.live(id);
    if (!original) throw new Error('no task');
    world.pass(10_000);
    world.setState(h1, 'ready');
    world.report(original, { state: 'shutdown', ready: false, final: true, revoked: true });

    world.lead();

    expect(world.live(id)).toMatchObject([{ id: original.id, desired: 'running', resumeAttempt: 1 }]);
  });

  test('an update goes on with a slot whose new task began while its node did not hear the leader (simulation, seed 715)', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    const id = world.addService('db', 2, { Labels: { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' } });
    world.converge();
    world.update(id, 'v2', { UpdateConfig: { Parallelism: 1, FailureAction: 'pause' } });
    for (let round = 0; !running(world, id).some(({ revision }) => revision === 2); round += 1) {
      if (round > 10) throw new Error('no new task');
      world.lead();
      world.runAgents();
      world.pass(100);
    }
    const [task] = running(world, id).filter(({ revision }) => revision === 2);
    if (!task) throw new Error('no new task');
    const exit = { attempt: 1, containerId: '', exitCode: 0, oomKilled: false, error: 'not heard', finishedAtMs: 1 };
    const exits = [{ ...exit, state: 'shutdown' as const }];
    world.report(task, { state: 'shutdown', ready: false, final: true, revoked: true, exits });

    world.lead();
    expect(world.tables.rollouts.get(id)?.value.state).toBe('updating');
    expect(running(world, id)).toContainEqual(expect.objectContaining({ id: task.id, resumeAttempt: 1 }));

    world.report(task, { attempt: 2, state: 'running', ready: true, final: false, revoked: false, restarts: 1, exits });
    for (let round = 0; round < 20; round += 1) {
      world.pass(1_000);
      world.converge();
    }
    expect(world.tables.rollouts.get(id)?.value.state).toBe('completed');
  });

  test("a job's task its agent stopped runs again when told to (simulation, seed 40150)", () => {
    const world = new PlanWorld();
    world.addNode('h1');
    const id = world.addService('backup', 1, {
      Labels: { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' },
      Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
    });
    world.lead();
    const [task] = world.live(id);
    if (!task) throw new Error('no task');
    world.report(task, { state: 'shutdown', ready: false, final: true, revoked: true });

    world.lead();

    expect(world.live(id)).toMatchObject([{ id: task.id, resumeAttempt: 1 }]);
  });

  test('an original that was to be replaced before its agent stopped it has no leave to run (simulation, seed 30353)', () => {
    const { world, id } = cutOff();
    const [original] = world.live(id);
    if (!original) throw new Error('no task');
    world.setState(h1, 'ready');
    world.report(original, { health: 'unhealthy', ready: false });
    world.lead();
    expect(world.live(id)).toMatchObject([{ id: original.id, replaceAttempt: 1 }]);
    world.setState(h1, 'lost');
    world.pass(41_000);
    world.converge();
    world.setState(h1, 'ready');
    world.report(original, { state: 'shutdown', ready: false, final: true, revoked: true, health: 'none' });

    world.lead();

    expect(world.live(id).map((task) => task.id)).not.toContain(original.id);
    expect(running(world, id)).toHaveLength(1);
  });

  test('of an original its agent stopped and a stand-in that runs, the stand-in stays', () => {
    const { world, id } = cutOff();
    const [original] = world.live(id);
    if (!original) throw new Error('no task');
    world.pass(41_000);
    world.converge();
    world.setState(h1, 'ready');
    world.report(original, { state: 'shutdown', ready: false, final: true, revoked: true });

    world.lead();

    expect(world.live(id).map((task) => task.id)).not.toContain(original.id);
    expect(running(world, id)).toHaveLength(1);
  });
});
