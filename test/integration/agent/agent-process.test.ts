import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Buckets } from '../../../bus/buckets.ts';
import type { Bus } from '../../../bus/bus.ts';
import { type NodeIdentity, writeNodeIdentity } from '../../../bus/identity/user-identity.ts';
import { subjects } from '../../../bus/subjects.ts';
import { Beat } from '../../../model/messages.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { TestNats } from '../../support/nats-server.ts';
import { builtPlim } from '../../support/plim.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

describe('plim agent, a process on a real bus and a real engine', () => {
  let engine: PrivateEngine;
  let nats: TestNats;
  let leader: { bus: Bus; buckets: Buckets };
  let identity: NodeIdentity;
  let agent: ChildProcess;
  beforeAll(async () => {
    [engine, nats] = await Promise.all([startPrivateEngine(), TestNats.start()]);
    leader = await nats.coordinator();
    identity = await nats.node();
    writeNodeIdentity(nats.stateDir, identity);
  });
  afterAll(async () => {
    await Promise.all([engine.stop(), nats.stop()]);
  });
  beforeEach(async () => {
    agent = await startAgentProcess();
  });
  afterEach(() => end('SIGTERM'));

  async function startAgentProcess(): Promise<ChildProcess> {
    const port = String(await freePort());
    const args = ['agent', '--state-dir', nats.stateDir, '--docker', engine.address, '--port', port];
    return spawn(process.execPath, [builtPlim(), ...args], { stdio: 'ignore' });
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    if (agent.exitCode === null && agent.signalCode === null) {
      const exited = once(agent, 'exit');
      agent.kill(signal);
      await exited;
    }
    return agent.exitCode;
  }

  function readyStatus(
    task: TaskRecord,
    accept: (status: StatusRecord) => boolean = () => true,
  ): Promise<StatusRecord> {
    const key = `${task.nodeId}.${task.id}`;
    const look = async () => {
      const status = (await leader.buckets.statuses.get(key))?.value;
      return status?.ready && accept(status) ? status : undefined;
    };
    return eventually(look, { timeoutMs: 30_000, what: `${task.serviceName} is ready` });
  }

  let assigned = 0;
  /** A task of its own each time, also for a test that is tried again. */
  async function assign(name: string): Promise<TaskRecord> {
    assigned += 1;
    const task = aTask({ name, slot: assigned, nodeId: identity.nodeId });
    await leader.buckets.tasks.create(`${task.nodeId}.${task.id}`, task);
    return task;
  }

  it('beats from its own thread and ends when told', async () => {
    const beats: Beat[] = [];
    const subscription = leader.bus.subscribe(subjects.beats, Beat, (beat) => beats.push(beat));

    await eventually(() => beats.filter((beat) => beat.engineResponsive).length >= 3, { what: 'three beats came' });
    subscription.stop();

    expect(await end('SIGTERM')).toBe(0);
    expect(beats.at(-1)?.mainLoopAgeMs).toBeLessThan(5_000);
    expect(beats.map(({ sequence }) => sequence)).toEqual(beats.map((_, index) => (beats[0]?.sequence ?? 0) + index));
  });

  it('killed and started again, finds its containers as they were', async () => {
    const task = await assign('kept');
    const before = await readyStatus(task);

    await end('SIGKILL');
    agent = await startAgentProcess();

    const after = await readyStatus(task, ({ incarnation }) => incarnation > before.incarnation);
    expect([after.containerId, after.startedAtMs]).toEqual([before.containerId, before.startedAtMs]);
  });

  it('goes on through a NATS server killed and started again', async () => {
    const task = await assign('through');
    const before = await readyStatus(task);

    nats.signal('SIGKILL');
    process.kill(before.pid ?? 0, 'SIGKILL');
    await nats.startServer();

    const after = await readyStatus(task, ({ attempt }) => attempt === 2);
    expect(after.incarnation).toBe(before.incarnation);
  });
});
