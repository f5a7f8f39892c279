import { describe, expect, it } from 'vitest';
import { isResumed, revokeAnew } from '../../../../agent/plan/permit.ts';
import { planTask, type TaskView } from '../../../../agent/plan/plan-task.ts';
import { aContainer, aTask } from '../../../support/tasks.ts';

const now = { wallMs: 1_000_000, elapsedMs: 1_000_000 };
const task = aTask();
const view = (change: Partial<TaskView>): TaskView => ({
  record: task,
  orphaned: false,
  containers: [],
  memory: undefined,
  ...change,
});
const running = view({ containers: [aContainer(task)] });

describe('planTask() without a permit', () => {
  it('stops what runs once it has expired', () => {
    const { memory } = planTask(running, now);

    expect(planTask({ ...running, memory, permit: 'expired' }, now).step).toMatchObject({ kind: 'stop' });
  });

  it('ends the attempt for good when it is down, and says why', () => {
    const { memory } = planTask(running, now);
    const exited = [aContainer(task, { phase: 'exited', exitCode: 143 })];

    const over = planTask({ ...running, memory, containers: exited, permit: 'expired' }, now);

    expect(over.memory).toMatchObject({ state: 'shutdown', final: true, revoked: true, failureKind: 'cut-off' });
    expect(over.memory.error).toContain('plimsoll.failover.on-disconnect=stop');
    expect(
      planTask({ ...running, memory: over.memory, containers: exited, permit: 'valid' }, now).step,
    ).toBeUndefined();
  });

  it('begins the next attempt when the leader says so', () => {
    const { memory } = planTask(view({ permit: 'expired' }), now);
    expect(memory).toMatchObject({ attempt: 1, final: true, revoked: true });

    const next = planTask(view({ memory, record: { ...task, resumeAttempt: 1 }, permit: 'valid' }), now);

    expect(next.memory).toMatchObject({ attempt: 2, final: false });
    expect(next.step).toMatchObject({ kind: 'create', attempt: 2 });
  });

  it('takes no replacement it was asked for before for leave to run again (simulation, seed 30353)', () => {
    const replaced = { ...task, priorFailures: 5, replaceAttempt: 1 };
    const failed = [aContainer(task, { phase: 'exited', exitCode: 143, startedAtMs: now.wallMs })];
    const before = planTask({ ...running, record: replaced }, now).memory;
    const waiting = planTask(view({ record: replaced, memory: before, containers: failed }), now);
    expect(waiting.memory).toMatchObject({ attempt: 1, state: 'failed', final: false });

    const cutOff = view({ record: replaced, memory: waiting.memory, containers: failed, permit: 'expired' });
    const { memory } = planTask(cutOff, now);
    const later = { wallMs: now.wallMs + 60_000, elapsedMs: now.elapsedMs + 60_000 };

    expect(memory).toMatchObject({ attempt: 1, final: true, revoked: true });
    expect(planTask({ ...cutOff, memory, permit: 'valid' }, later).step).toBeUndefined();
  });

  it('asks anew for leave that came before another silence: the leader may have given the task up meanwhile', () => {
    const { memory } = planTask(view({ permit: 'expired' }), now);
    const record = { ...task, resumeAttempt: 1 };
    expect(isResumed(memory, record)).toBe(true);

    const anew = revokeAnew(memory, now);

    expect(isResumed(anew, record)).toBe(false);
    expect(planTask(view({ record, memory: anew, permit: 'valid' }), now).step).toBeUndefined();
    expect(planTask(view({ record: { ...record, resumeAttempt: 2 }, memory: anew }), now).step).toMatchObject({
      kind: 'create',
      attempt: 3,
    });
  });

  it('starts nothing while the leader was never heard, but has the image there', () => {
    const { memory, step } = planTask(view({ permit: 'unknown' }), now);

    expect(step).toBeUndefined();
    expect(memory.state).toBe('ready');
    expect(planTask(view({ memory, permit: 'valid' }), now).step).toMatchObject({ kind: 'create' });
  });

  it('leaves what its restart policy ended as it is', () => {
    const once = aTask({ template: { RestartPolicy: { Condition: 'none' } } });
    const before = planTask(view({ record: once, containers: [aContainer(once)] }), now);
    const exited = [aContainer(once, { phase: 'exited', exitCode: 0 })];
    const over = planTask(view({ record: once, memory: before.memory, containers: exited }), now);

    const later = planTask(view({ record: once, memory: over.memory, containers: exited, permit: 'expired' }), now);

    expect(later.memory.final).toBe(true);
    expect(later.memory.revoked).toBeUndefined();
  });

  it('stops what is told to stop and removes it, permit or not', () => {
    const stopped = { ...task, desired: 'stopped' } as const;

    expect(planTask({ ...running, record: stopped, permit: 'expired' }, now).step).toMatchObject({ kind: 'stop' });
    expect(planTask(view({ record: stopped, permit: 'expired' }), now).memory.removed).toBe(true);
  });
});
