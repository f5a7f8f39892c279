import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../../../agent/plan/observed-container.ts';
import { planTask, refuseAttempt, type TaskPlan } from '../../../../agent/plan/plan-task.ts';
import type { TaskMemory } from '../../../../agent/plan/task-memory.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { aContainer, aTask } from '../../../support/tasks.ts';

const at = (elapsedMs: number) => ({ wallMs: 1_000_000 + elapsedMs, elapsedMs });

interface Situation {
  readonly record?: TaskRecord;
  readonly containers?: readonly ObservedContainer[];
  readonly memory?: TaskMemory;
  readonly orphaned?: boolean;
  readonly atMs?: number;
}

function plan({ record = aTask(), containers = [], memory, orphaned = false, atMs = 0 }: Situation): TaskPlan {
  return planTask({ record, containers, memory, orphaned }, at(atMs));
}

/** The memory of a task whose first attempt runs. */
function runningMemory(record = aTask(), container = aContainer(record)): TaskMemory {
  return plan({ record, containers: [container] }).memory;
}

const exited = (record: TaskRecord, given: Partial<ObservedContainer> = {}) =>
  aContainer(record, { phase: 'exited', exitCode: 1, finishedAtMs: 2_000, ...given });

describe('planTask() towards running', () => {
  it('creates the container of a new task', () => {
    const { memory, step } = plan({});

    expect(step).toEqual({ kind: 'create', attempt: 1, reason: 'assigned to this node' });
    expect(memory.state).toBe('starting');
  });

  it('pulls first when the tag may have moved', () => {
    const record = aTask({ container: { Image: 'registry:5000/web' } });

    const { step } = plan({ record });

    expect(step).toMatchObject({ kind: 'pull', image: 'registry:5000/web', refresh: true });
  });

  it('has the image ready and waits when only that is desired', () => {
    const record = aTask({ desired: 'ready' });

    const first = plan({ record });
    const second = plan({ record, memory: { ...first.memory, needsImage: false } });

    expect(first.step?.kind).toBe('pull');
    expect([second.step, second.memory.state]).toEqual([undefined, 'ready']);
  });

  it('starts a container that was made and never started', () => {
    const record = aTask();

    const { step } = plan({ record, containers: [aContainer(record, { phase: 'created' })] });

    expect(step).toMatchObject({ kind: 'start', containerId: 'container-1-1' });
  });

  it('plans nothing for a container that runs', () => {
    const record = aTask();

    const { step, memory } = plan({ record, containers: [aContainer(record)] });

    expect([step, memory.state]).toEqual([undefined, 'running']);
  });

  it('adopts the newest attempt it finds', () => {
    const record = aTask();
    const containers = [exited(record), aContainer(record, { attempt: 2 })];

    const { step, memory } = plan({ record, containers });

    expect([step, memory.attempt, memory.state]).toEqual([undefined, 2, 'running']);
  });

  it('stays starting until a health check says healthy', () => {
    const record = aTask();

    const starting = plan({ record, containers: [aContainer(record, { health: 'starting' })] });
    const healthy = plan({ record, memory: starting.memory, containers: [aContainer(record, { health: 'healthy' })] });

    expect([starting.memory.state, healthy.memory.state]).toEqual(['starting', 'running']);
  });
});

describe('planTask() after an exit', () => {
  it('makes the next attempt at once after the first failure', () => {
    const record = aTask();

    const { memory, step } = plan({ record, memory: runningMemory(record), containers: [exited(record)] });

    expect(step).toEqual({ kind: 'create', attempt: 2, reason: 'attempt 1 ended' });
    expect(memory.exits).toMatchObject([
      { attempt: 1, exitCode: 1, error: 'task: non-zero exit (1)', state: 'failed' },
    ]);
  });

  it.each([
    [1, 100],
    [2, 200],
    [4, 800],
    [20, 30_000],
  ])('waits after %i earlier failures in a row %i ms', (failures, waitMs) => {
    const record = aTask();
    const memory = { ...runningMemory(record), failures };

    const { step } = plan({ record, memory, containers: [exited(record)], atMs: 5_000 });

    expect(step).toMatchObject({ kind: 'wait', untilElapsedMs: 5_000 + waitMs });
  });

  it('forgets failures after a minute of running', () => {
    const record = aTask();
    const memory = { ...runningMemory(record), failures: 10 };

    const { step } = plan({ record, memory, containers: [exited(record, { finishedAtMs: 61_000 })] });

    expect(step?.kind).toBe('create');
  });

  it('obeys an explicit delay to the letter', () => {
    const record = aTask({ template: { RestartPolicy: { Delay: 7e9 } } });

    const { step } = plan({ record, memory: runningMemory(record), containers: [exited(record)], atMs: 100 });

    expect(step).toMatchObject({ kind: 'wait', untilElapsedMs: 7_100 });
  });

  it.each([
    ['none', 1, true],
    ['none', 0, true],
    ['on-failure', 0, true],
    ['on-failure', 1, false],
    ['any', 0, false],
  ] as const)('with condition %s after exit %i is final: %s', (Condition, exitCode, final) => {
    const record = aTask({ template: { RestartPolicy: { Condition } } });

    const { memory } = plan({ record, memory: runningMemory(record), containers: [exited(record, { exitCode })] });

    expect(memory.final).toBe(final);
  });

  it('stops after the allowed number of restarts', () => {
    const record = aTask({ template: { RestartPolicy: { MaxAttempts: 2 } } });
    const memory = { ...runningMemory(record), restarts: 2 };

    expect(plan({ record, memory, containers: [exited(record)] }).memory.final).toBe(true);
  });

  it('counts the restarts of the tasks before it, on other nodes', () => {
    const RestartPolicy = { MaxAttempts: 3 };
    const record = { ...aTask({ template: { RestartPolicy } }), priorRestarts: { count: 2, atMs: [1, 2] } };
    const memory = { ...runningMemory(record), restarts: 1, restartedAtMs: [1_000_000] };

    expect(plan({ record, memory, containers: [exited(record)] }).memory.final).toBe(true);
    expect(plan({ record, memory: { ...memory, restarts: 0 }, containers: [exited(record)] }).memory.final).toBe(false);
  });

  it('counts those of the tasks before it within the window', () => {
    const template = { RestartPolicy: { MaxAttempts: 2, Window: 10e9 } };
    const within = { ...aTask({ template }), priorRestarts: { count: 9, atMs: [1, 995_000] } };
    const memory = { ...runningMemory(within), restarts: 1, restartedAtMs: [1_000_000] };
    const outside = { ...within, priorRestarts: { count: 9, atMs: [1, 2] } };

    expect(plan({ record: within, memory, containers: [exited(within)] }).memory.final).toBe(true);
    expect(plan({ record: outside, memory, containers: [exited(outside)] }).memory.final).toBe(false);
  });

  it('counts only the restarts within the window', () => {
    const record = aTask({ template: { RestartPolicy: { MaxAttempts: 2, Window: 10e9 } } });
    const memory = { ...runningMemory(record), restarts: 2, restartedAtMs: [900_000, 1_000_000] };

    expect(plan({ record, memory, containers: [exited(record)], atMs: 1 }).memory.final).toBe(false);
  });

  it('says so when memory ran out', () => {
    const record = aTask();
    const containers = [exited(record, { exitCode: 137, oomKilled: true })];

    const { memory } = plan({ record, memory: runningMemory(record), containers });

    expect(memory.oomKills).toBe(1);
    expect(memory.exits[0]?.error).toBe('task: non-zero exit (137): killed for using more memory than its limit');
  });

  it('takes a container somebody removed as a failure', () => {
    const { memory, step } = plan({ memory: runningMemory() });

    expect(memory.exits[0]?.error).toBe('The container was removed, not by the agent (docker rm, plim down)');
    expect(step?.kind).toBe('create');
  });

  it('keeps one dead container for its logs and removes older ones', () => {
    const record = aTask();
    const dead = [exited(record), exited(record, { attempt: 2 })];
    const running = aContainer(record, { attempt: 3 });

    const { step } = plan({ record, containers: [...dead, running] });

    expect(step).toMatchObject({ kind: 'remove', containerId: 'container-1-1' });
  });
});

describe('planTask() replacing', () => {
  it('stops the attempt the coordinator wants replaced, then makes the next', () => {
    const record = aTask({ replaceAttempt: 1 });

    const stopping = plan({ record, containers: [aContainer(record, { health: 'unhealthy' })] });
    const next = plan({ record, memory: stopping.memory, containers: [exited(record, { exitCode: 137 })] });

    expect(stopping.step).toMatchObject({ kind: 'stop', reason: 'unhealthy container' });
    expect(next.step).toMatchObject({ kind: 'create', attempt: 2 });
    expect(next.memory.exits[0]?.error).toBe('task: unhealthy container (exit 137)');
  });

  it('leaves a later attempt alone', () => {
    const record = aTask({ replaceAttempt: 1 });

    expect(plan({ record, containers: [aContainer(record, { attempt: 2 })] }).step).toBeUndefined();
  });

  it('stops an earlier attempt that runs beside the current one', () => {
    const record = aTask();

    const { step } = plan({ record, containers: [aContainer(record), aContainer(record, { attempt: 2 })] });

    expect(step).toMatchObject({ kind: 'stop', containerId: 'container-1-1' });
  });
});

describe('planTask() of a stopped task', () => {
  const record = aTask({ desired: 'stopped', container: { StopGracePeriod: 3e9 } });

  it('stops with grace, then removes, then reports removed', () => {
    const stop = plan({ record, memory: runningMemory(), containers: [aContainer(record)] });
    const remove = plan({ record, memory: stop.memory, containers: [exited(record, { exitCode: 143 })] });
    const done = plan({ record, memory: remove.memory });

    expect(stop.step).toMatchObject({ kind: 'stop', graceMs: 3_000 });
    expect(remove.step?.kind).toBe('remove');
    expect([remove.memory.state, remove.memory.exits[0]?.error]).toEqual(['shutdown', '']);
    expect([done.step, done.memory.removed, done.memory.final]).toEqual([undefined, true, true]);
  });

  it('is removed at once when it never ran', () => {
    expect(plan({ record }).memory).toMatchObject({ removed: true, state: 'shutdown' });
  });

  it('is shut down, not failed, when its container was made and never started', () => {
    const removed = plan({ record, memory: { ...runningMemory(), state: 'starting', startedAtMs: undefined } });

    expect(removed.memory).toMatchObject({ removed: true, state: 'shutdown', exits: [] });
  });

  it('does not turn a failed attempt into a shut-down one', () => {
    const failed = plan({ memory: { ...runningMemory(), failures: 3 }, containers: [exited(record)] }).memory;

    expect(plan({ record, memory: failed }).memory.state).toBe('failed');
  });
});

describe('planTask() of an orphan', () => {
  it('lets a running container be', () => {
    const record = aTask();

    expect(plan({ record, orphaned: true, containers: [aContainer(record)] }).step).toBeUndefined();
  });

  it('restarts it when it exits', () => {
    const record = aTask();

    const { step } = plan({ record, orphaned: true, memory: runningMemory(record), containers: [exited(record)] });

    expect(step?.kind).toBe('create');
  });

  it('forgets it when no container is left', () => {
    expect(plan({ orphaned: true }).step?.kind).toBe('forget');
  });
});

describe('refuseAttempt()', () => {
  it('rejects an attempt whose image is missing and waits a second', () => {
    const record = aTask();
    const refusal = { step: 'pull', words: 'No such image: web:1: no route to registry' } as const;

    const memory = refuseAttempt(plan({ record }).memory, record, refusal, at(0));

    expect(memory).toMatchObject({ state: 'rejected', failureKind: 'image', retryAtElapsedMs: 1_000 });
    expect(memory.error).toBe(`${refusal.words} (the image is not on this node and could not be pulled)`);
  });

  it('pulls again after a pull that failed, and is not ready before one succeeds', () => {
    const record = aTask({ desired: 'ready' });
    const refused = refuseAttempt(plan({ record }).memory, record, { step: 'pull', words: 'no route' }, at(0));

    const next = plan({ record, memory: refused, atMs: 1_000 });

    expect(next.step?.kind).toBe('pull');
    expect(next.memory).toMatchObject({ attempt: 2, state: 'preparing' });
  });

  it('fails an attempt whose port is taken', () => {
    const record = aTask();
    const words = 'driver failed: Bind for 0.0.0.0:80 failed: port is already allocated';

    const memory = refuseAttempt(plan({ record }).memory, record, { step: 'start', words }, at(0));

    expect(memory).toMatchObject({ state: 'failed', failureKind: 'port' });
    expect(memory.error).toContain('starting container failed: driver failed');
  });
});
