import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { LogsRequest } from '../../../model/messages.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

describe('the agent on a bad day', () => {
  let engine: PrivateEngine;
  let lab: AgentOnMemoryBus;
  beforeAll(async () => {
    engine = await startPrivateEngine();
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    lab = await AgentOnMemoryBus.create(engine.address);
  });
  afterEach(() => lab.dispose());

  it('keeps containers running through a dockerd killed and started again', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const before = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await engine.killDockerd();
    const other = aTask({ slot: 2 });
    await lab.assign(other);
    await engine.startDockerd();

    await lab.statusWhere(other, ({ ready }) => ready, 'what was assigned meanwhile runs');
    expect(await lab.status(task)).toMatchObject({ attempt: 1, containerId: before.containerId, ready: true });
  });

  it('restarts what exited while dockerd was away', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const { pid = 0 } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await engine.killDockerd();
    process.kill(pid, 'SIGKILL');
    await engine.startDockerd();

    const after = await lab.statusWhere(task, ({ ready, attempt }) => ready && attempt === 2, 'attempt 2 is ready');
    expect(after.exits).toMatchObject([{ attempt: 1, state: 'failed' }]);
  });

  it('removes the container of a task that was stopped while the engine refused its start', async () => {
    const task = aTask({ container: { Command: ['/bin/nothing'] } });
    let refuse = () => {};
    const refused = new Promise<void>((resolve) => (refuse = resolve));
    let started = false;
    const slow: typeof lab.engine = Object.create(lab.engine, {
      start: {
        value: async (containerId: string) => {
          started = true;
          await refused;
          await lab.engine.start(containerId);
        },
      },
    });
    await lab.start({ engine: slow });
    await lab.assign(task);
    await eventually(() => started, { what: 'the start to be asked for' });

    await lab.assign({ ...task, desired: 'stopped' });
    await lab.statusWhere(task, () => true, 'a status');
    refuse();

    await lab.statusWhere(task, ({ removed }) => removed, 'everything of the task is removed');
    expect(await lab.engine.listOwn(lab.clusterId)).toEqual([]);
  });

  it('does what it was told while the bus was away, once it is back', async () => {
    const [old, added] = [aTask(), aTask({ slot: 2 })];
    await lab.start();
    await lab.assign(old);
    const { containerId = '' } = await lab.statusWhere(old, ({ ready }) => ready, 'the task is ready');

    lab.connection?.disconnect();
    await engine.docker('kill', containerId);
    await lab.assign(added);
    const running = () => engine.docker('ps', '-q', '--filter', `label=plimsoll.task.id=${old.id}`);
    await eventually(running, { what: 'the killed container runs again without the bus' });
    lab.connection?.reconnect();

    const restarted = await lab.statusWhere(old, ({ attempt }) => attempt === 2, 'the restart is reported');
    expect(restarted.exits).toMatchObject([{ attempt: 1, exitCode: 137 }]);
    await lab.statusWhere(added, ({ ready }) => ready, 'the new task runs');
  });

  it('reports again when the status bucket is emptied', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const before = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    lab.server.wipe('plim_status');

    expect(await lab.statusWhere(task, ({ ready }) => ready, 'the status is back')).toEqual(before);
  });

  it("refuses a former leader's late write", async () => {
    const task = aTask();
    await lab.start();
    await lab.assign({ ...task, epoch: 5 });
    await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await lab.assign({ ...task, epoch: 4, desired: 'stopped' });

    const refusals = async () => (await metricsOf(lab)).match(/plimsoll_agent_stale_records_total (\d+)/)?.[1] === '1';
    await eventually(refusals, { what: 'the refusal is counted' });
    expect(await lab.status(task)).toMatchObject({ state: 'running', ready: true });
  });

  it('replaces an unhealthy container when told to', async () => {
    const Healthcheck = { Test: ['CMD', 'test', '-e', '/tmp/well'], Interval: 100e6, Timeout: 5e9, Retries: 1 };
    const task = aTask({ container: { Args: ['sh', '-c', 'touch /tmp/well; sleep 100'], Healthcheck } });
    await lab.start();
    await lab.assign(task);
    const { containerId = '' } = await lab.statusWhere(task, ({ health }) => health === 'healthy', 'it is healthy');
    await engine.docker('exec', containerId, 'rm', '/tmp/well');
    await lab.statusWhere(task, ({ health, ready }) => health === 'unhealthy' && !ready, 'it is unhealthy');

    await lab.assign({ ...task, replaceAttempt: 1 });

    const next = await lab.statusWhere(task, ({ attempt, ready }) => attempt === 2 && ready, 'attempt 2 is healthy');
    expect(next.exits[0]?.error).toMatch(/^task: unhealthy container/);
  });

  it('counts a container killed for its memory', async () => {
    const fill = 'x=1; while true; do x="$x$x"; done';
    const limits = {
      Resources: { Limits: { MemoryBytes: 16 * 2 ** 20 } },
      RestartPolicy: { Condition: 'none' },
    } as const;
    const task = aTask({ container: { Args: ['sh', '-c', fill] }, template: limits });
    await lab.start();

    await lab.assign(task);

    const status = await lab.statusWhere(task, ({ final }) => final, 'it ended');
    expect(status).toMatchObject({ oomKills: 1, state: 'failed', exits: [{ oomKilled: true }] });
    expect(status.error).toMatch(/more memory than its limit/);
  });

  it('serves the logs of a task, and what containers there are', async () => {
    const task = aTask({ container: { Args: ['sh', '-c', 'echo hello; sleep 100'] } });
    await lab.start();
    await lab.assign(task);
    await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    const request: LogsRequest = {
      taskId: task.id,
      follow: false,
      tail: 'all',
      sinceSeconds: 0,
      untilSeconds: 0,
      timestamps: false,
      stdout: true,
      stderr: true,
    };

    const text = await eventually(async () => {
      const chunks: Uint8Array[] = [];
      const stream = lab.leader.bus.askNodeStream(lab.nodeId, 'logs', request, AbortSignal.timeout(5_000));
      for await (const chunk of stream) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    });
    const List = z.object({ containers: z.array(z.looseObject({ Image: z.string() })) });
    const list = await lab.leader.bus.askNode(lab.nodeId, 'containers', { all: false }, List, 5_000);

    expect(text).toContain('hello\n');
    expect(list.containers).toMatchObject([{ Image: 'plimsoll/test:1' }]);
  });

  it('takes ports away before it stops a task', async () => {
    const task = aTask({
      ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' }],
    });
    await lab.start();
    await lab.assign(task);
    await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await lab.assign({ ...task, desired: 'stopped' });

    await lab.statusWhere(task, ({ removed }) => removed, 'the task is removed');
    const published = lab.portCalls.indexOf('apply 8080');
    expect(lab.portCalls.slice(published)).toEqual(['apply 8080', `withdraw ${task.id}`, 'apply ']);
  });

  it('refuses to run beside another host with its identity', async () => {
    await lab.start();
    const { nodes } = lab.leader.buckets;
    const own = await eventually(() => nodes.get(lab.nodeId), { what: 'the node is registered' });
    const failed = lab.agent?.failed.catch((error: Error) => error.message);

    await nodes.update(
      lab.nodeId,
      { ...own.value, incarnation: 9, instance: undefined, hostname: 'clone' },
      own.revision,
    );

    expect(await failed).toMatch(/clone .* runs under the same identity/);
  });
});

async function metricsOf(lab: AgentOnMemoryBus): Promise<string> {
  return (await fetch(`http://127.0.0.1:${lab.agent?.port}/metrics`)).text();
}
