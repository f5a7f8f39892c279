import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StepPace } from '../../../agent/step-pace.ts';
import type { TaskSupervisor } from '../../../agent/task-supervisor.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { loneSupervisor } from '../../support/lone-host.ts';
import { aTask } from '../../support/tasks.ts';

describe('StepPace', () => {
  const step = { kind: 'start', containerId: 'c1', attempt: 1, reason: '' } as const;

  it('lets a step be done twice at once, then later and later', () => {
    const pace = new StepPace();
    const waits = [];
    for (let times = 0; times < 5; times += 1) {
      waits.push(pace.notBeforeMs(step, 1));
      pace.note(step, 1, 0);
    }

    expect(waits).toEqual([0, 0, 500, 1_000, 2_000]);
  });

  it('begins anew with the next attempt', () => {
    const pace = new StepPace();
    for (let times = 0; times < 5; times += 1) pace.note(step, 1, 0);

    expect(pace.notBeforeMs(step, 2)).toBe(0);
  });
});

/** An engine that answers that it has started a container, and has not. */
class IdleEngine extends FakeEngine {
  starts = 0;

  override async start(): Promise<void> {
    this.starts += 1;
  }
}

describe('TaskSupervisor on an engine that starts nothing', () => {
  const clock = new FakeClock();
  const engine = new IdleEngine();
  let supervisor: TaskSupervisor;

  beforeEach(() => {
    supervisor = loneSupervisor(engine, clock);
  });
  afterEach(() => supervisor.stop());

  it('asks it again, but with pauses', async () => {
    supervisor.takeList([], new Map());

    supervisor.assign(aTask());
    await clock.advance(60_000);

    expect(engine.starts).toBeGreaterThan(3);
    expect(engine.starts).toBeLessThan(15);
  });
});
