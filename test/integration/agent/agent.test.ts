import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { derivedId } from '../../../runtime/identifiers.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

describe('the agent on a real engine', () => {
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

  it('runs an assignment and reports it', async () => {
    const task = aTask({ container: { Env: ['WHO={{.Service.Name}}.{{.Task.Slot}}'] } });
    await lab.start();

    await lab.assign(task);

    const status = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    expect(status).toMatchObject({ state: 'running', attempt: 1, health: 'none', restarts: 0 });
    expect(await engine.docker('exec', status.containerId ?? '', 'env')).toContain('WHO=web.1');
  });

  it('starts a crashed container again at once, as a new attempt', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const first = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await engine.docker('kill', first.containerId ?? '');

    const second = await lab.statusWhere(task, ({ ready, attempt }) => ready && attempt === 2, 'attempt 2 is ready');
    expect(second.containerId).not.toBe(first.containerId);
    expect(second.exits).toMatchObject([{ attempt: 1, exitCode: 137, state: 'failed' }]);
  });

  it('stops and removes only when told to', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const { containerId = '' } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    await lab.assign({ ...task, desired: 'stopped' });

    const status = await lab.statusWhere(task, ({ removed }) => removed, 'the task is removed');
    expect(status.state).toBe('shutdown');
    await expect(engine.docker('inspect', containerId)).rejects.toThrow(/No such/);
  });

  it('adopts its containers after its own restart without touching them', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const before = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    await lab.stopAgent();

    await lab.start();

    const after = await lab.statusWhere(
      task,
      ({ ready, incarnation }) => ready && incarnation === 2,
      'it reports again',
    );
    expect([after.containerId, after.startedAtMs, after.attempt]).toEqual([before.containerId, before.startedAtMs, 1]);
  });

  it('runs what is on disk while the bus is away', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const { containerId = '' } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    await lab.stopAgent();
    await engine.docker('kill', containerId);

    await lab.start({ connect: () => Promise.reject(new Error('no bus')) });

    const running = () => engine.docker('ps', '-q', '--no-trunc', '--filter', `label=plimsoll.task.id=${task.id}`);
    expect(await eventually(running, { what: 'the next attempt runs' })).not.toBe(containerId);
  });

  it('takes up nothing of what its host was asked under another identity', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const { containerId = '' } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    await lab.stopAgent();
    await lab.engine.stop(containerId, 0);
    await lab.engine.remove(containerId);

    const identity = { nodeId: derivedId('node', 'joined anew'), clusterId: lab.clusterId, natsUrls: [] };
    await lab.start({ identity });
    const other = aTask({ slot: 2, nodeId: identity.nodeId });
    await lab.assign(other);
    await lab.statusWhere(other, ({ ready }) => ready, 'the task of the new identity is ready');

    expect((await lab.engine.listOwn(lab.clusterId)).map(({ taskId }) => taskId)).toEqual([other.id]);
  });

  it('keeps containers whose records vanish, and calls them orphans', async () => {
    const task = aTask();
    await lab.start();
    await lab.assign(task);
    const { containerId } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

    lab.server.wipe('plim_task');

    const { z } = await import('zod');
    const orphans = await eventually(async () => {
      const reply = z.object({ orphans: z.array(z.object({ containerId: z.string(), running: z.boolean() })) });
      const answer = await lab.leader.bus.askNode(lab.nodeId, 'orphans', {}, reply, 1_000);
      return answer.orphans.length > 0 && answer.orphans;
    });
    expect(orphans).toEqual([{ containerId, running: true }]);
  });

  it('says in a sentence that an image is missing, and retries', async () => {
    const task = aTask({ container: { Image: 'plimsoll/missing:1' } });
    await lab.start();

    await lab.assign(task);

    const status = await lab.statusWhere(task, ({ state }) => state === 'rejected', 'the task is rejected');
    expect(status.error).toMatch(/^No such image: plimsoll\/missing:1: .* \(the image is not on this node/);
    expect(status.error).not.toContain('HTTP code');
    expect(status.retryAtMs).toBeGreaterThan(0);
  });

  it('says in a sentence that a host port is taken', async () => {
    const port = { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8099, PublishMode: 'host' } as const;
    const [first, second] = [aTask({ ports: [port] }), aTask({ slot: 2, ports: [port] })];
    await lab.start();
    await lab.assign(first);
    await lab.statusWhere(first, ({ ready }) => ready, 'the first task is ready');

    await lab.assign(second);

    const status = await lab.statusWhere(second, ({ failures }) => failures > 0, 'the second fails');
    const { error } = status.exits[0] ?? {};
    expect(error).toMatch(/port is already allocated.*another process or container on this node holds the port/);
  });

  it('says in a sentence that a command does not exist', async () => {
    const task = aTask({ container: { Args: ['no-such-program'] } });
    await lab.start();

    await lab.assign(task);

    const status = await lab.statusWhere(task, ({ exits }) => exits.length > 0, 'an attempt ended');
    expect(status.exits[0]?.error).toMatch(/no-such-program.*the command does not exist in the image/);
  });
});
