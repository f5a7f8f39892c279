import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StatusRecord } from '../../../model/status-record.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

describe('probes of a running container', () => {
  let engine: PrivateEngine;
  let lab: AgentOnMemoryBus;
  beforeAll(async () => {
    engine = await startPrivateEngine();
  });
  afterAll(() => engine?.stop());
  beforeEach(async () => {
    lab = await AgentOnMemoryBus.create(engine.address);
    await lab.start();
  });
  afterEach(() => lab.dispose());

  const often = 'period=100ms timeout=20s failure-threshold=1';
  const inside = ({ containerId = '' }: StatusRecord, ...command: string[]) =>
    engine.docker('exec', containerId, ...command);

  it('a task that is not ready is starting, then runs, and is not killed when it is unready again', async () => {
    const task = aTask({ serviceLabels: { 'plimsoll.readiness': `${often} exec test -f /tmp/ready` } });
    await lab.assign(task);
    const first = await lab.statusWhere(task, ({ message }) => message.includes('not ready'), 'it is not ready');
    expect(first).toMatchObject({ state: 'starting', ready: false });

    await inside(first, 'touch', '/tmp/ready');
    expect(await lab.statusWhere(task, ({ ready }) => ready, 'it is ready')).toMatchObject({ state: 'running' });

    await inside(first, 'rm', '/tmp/ready');
    const unready = await lab.statusWhere(task, ({ ready }) => !ready, 'it is unready again');
    expect(unready).toMatchObject({ state: 'running', attempt: 1, health: 'none' });
    expect(unready.message).toBe('started, not ready: "test -f /tmp/ready" ended with 1');
    await inside(first, 'touch', '/tmp/ready');
    expect(await lab.statusWhere(task, ({ ready }) => ready, 'it is ready again')).toMatchObject({ attempt: 1 });
  });

  it('a container whose liveness probe fails is unhealthy, and replaced when the coordinator says so', async () => {
    const task = aTask({
      serviceLabels: { 'plimsoll.liveness': `${often} initial-delay=200ms exec test -f /tmp/alive` },
      container: { Args: ['sh', '-c', 'touch /tmp/alive; exec sleep 1000000'] },
    });
    await lab.assign(task);
    const first = await lab.statusWhere(task, ({ ready }) => ready, 'it is ready');

    await inside(first, 'rm', '/tmp/alive');
    await lab.statusWhere(task, ({ health }) => health === 'unhealthy', 'it is unhealthy');
    await lab.assign({ ...task, replaceAttempt: 1 });

    const second = await lab.statusWhere(task, ({ ready, attempt }) => ready && attempt === 2, 'it is replaced');
    expect(second.exits[0]?.error).toContain(
      'task: unhealthy container: liveness probe: "test -f /tmp/alive" ended with 1',
    );
  });
});
