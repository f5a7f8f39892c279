import { describe, expect, it } from 'vitest';
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

    const next = planTask(view({ memory, record: { ...task, replaceAttempt: 1 }, permit: 'valid' }), now);

    expect(next.memory).toMatchObject({ attempt: 2, final: false });
    expect(next.step).toMatchObject({ kind: 'create', attempt: 2 });
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
