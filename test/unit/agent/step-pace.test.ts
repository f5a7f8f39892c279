import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import { ImageStore } from '../../../agent/image-store.ts';
import { planTask } from '../../../agent/plan/plan-task.ts';
import { StepPace } from '../../../agent/step-pace.ts';
import { TaskSupervisor } from '../../../agent/task-supervisor.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { noNetworks } from '../../support/no-overlay.ts';
import { aTask } from '../../support/tasks.ts';

const clusterId = 'cluster';
const place = {
  clusterId,
  hostname: 'h1',
  os: 'linux',
  architecture: 'x86_64',
  apiVersion: '1.51',
  logsUnbounded: false,
};

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
    supervisor = new TaskSupervisor({
      planTask,
      clock,
      engine,
      log: createLog('test', 'silent'),
      metrics: agentMetrics(createMetrics('test', '0')),
      clusterId,
      incarnation: 1,
      startsAtOnce: 4,
      executor: {
        images: new ImageStore(engine, clock),
        ports: { apply: async () => undefined, withdraw: async () => undefined, checkFree: async () => undefined },
        files: { prepare: async () => [] },
        ...noNetworks,
        place: async () => place,
      },
      contact: { permitFor: () => 'valid', expiredForMs: () => 0 },
      kill: async () => undefined,
      onStatus: () => undefined,
      onForgotten: () => undefined,
      onChange: () => undefined,
    });
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
