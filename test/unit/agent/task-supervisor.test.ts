import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Permit } from '../../../agent/plan/permit.ts';
import type { UnnumberedStatus } from '../../../agent/plan/status.ts';
import type { TaskSupervisor } from '../../../agent/task-supervisor.ts';
import { ON_DISCONNECT_LABEL } from '../../../model/service-policy.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { loneSupervisor } from '../../support/lone-host.ts';
import { aTask } from '../../support/tasks.ts';

describe('TaskSupervisor of a task that its agent revoked', () => {
  const clock = new FakeClock();
  const task = aTask({ serviceLabels: { [ON_DISCONNECT_LABEL]: 'stop' } });
  let permit: Permit;
  let engine: FakeEngine;
  let last: UnnumberedStatus | undefined;
  let supervisor: TaskSupervisor;

  beforeEach(async () => {
    permit = 'expired';
    engine = new FakeEngine();
    supervisor = loneSupervisor(engine, clock, {
      onStatus: (status) => {
        last = status;
      },
      contact: { permitFor: () => permit, expiredForMs: () => 0 },
    });
    supervisor.takeList([], new Map());
    supervisor.assign(task);
    await clock.advance(1_000);
  });
  afterEach(() => supervisor.stop());

  async function hearTheLeader(): Promise<void> {
    supervisor.checkPermits();
    supervisor.voidResumptions();
    permit = 'valid';
    supervisor.checkPermits();
    await clock.advance(60_000);
  }

  it('runs it again once the leader says so', async () => {
    await hearTheLeader();
    expect(last).toMatchObject({ attempt: 1, revoked: true });

    supervisor.assign({ ...task, resumeAttempt: 1 });
    await clock.advance(1_000);

    expect(last).toMatchObject({ attempt: 2, state: 'running' });
  });

  it('has leave that came before the leader was heard given once more: it may have given the task up meanwhile', async () => {
    supervisor.assign({ ...task, resumeAttempt: 1 });
    await hearTheLeader();
    expect(last).toMatchObject({ attempt: 2, revoked: true });

    supervisor.assign({ ...task, resumeAttempt: 2 });
    await clock.advance(1_000);

    expect(last).toMatchObject({ attempt: 3, state: 'running' });
  });
});
