import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import { statusOf, type UnnumberedStatus } from '../../../agent/plan/status.ts';
import { freshMemory } from '../../../agent/plan/task-memory.ts';
import { StatusReporter } from '../../../agent/status-reporter.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';
import { aTask } from '../../support/tasks.ts';

const task = aTask();
const key = `${task.nodeId}.${task.id}`;

function statusWith(message: string): UnnumberedStatus {
  const memory = freshMemory(task, { wallMs: 0, elapsedMs: 0 });
  return { ...statusOf(task, memory, undefined, 1), message };
}

describe('StatusReporter', () => {
  const clock = new FakeClock();
  let server: MemoryServer;
  let connection: ReturnType<MemoryServer['connect']>;
  let reporter: StatusReporter;
  beforeEach(() => {
    server = new MemoryServer({ clock });
    connection = server.connect('agent');
    reporter = new StatusReporter({
      statuses: connection.buckets.statuses,
      nodeId: task.nodeId,
      clock,
      log: createLog('test', 'silent'),
      metrics: agentMetrics(createMetrics('test', '0')),
    });
  });
  afterEach(() => reporter.stop());

  const stored = () => server.connect('reader').buckets.statuses.get(key);

  it('sends the newest status with a number that grows', async () => {
    reporter.report(statusWith('one'));
    reporter.report(statusWith('two'));
    await clock.advance(0);

    expect((await stored())?.value).toMatchObject({ message: 'two', sequence: 2 });
  });

  it('sends an unchanged status once', async () => {
    reporter.report(statusWith('one'));
    await clock.advance(0);
    const first = await stored();

    reporter.report(statusWith('one'));
    await clock.advance(0);

    expect((await stored())?.revision).toBe(first?.revision);
  });

  it('retries many tasks at once without a warning of a leak', async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    connection.disconnect();

    for (let slot = 1; slot <= 20; slot += 1) reporter.report({ ...statusWith('one'), taskId: aTask({ slot }).id });
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));

    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('retries until the bus has taken it', async () => {
    connection.disconnect();
    reporter.report(statusWith('one'));
    await clock.advance(1_000);
    reporter.report(statusWith('two'));

    connection.reconnect();
    await clock.advance(5_000);

    expect((await stored())?.value.message).toBe('two');
  });

  it('puts back what vanished and removes what is of no task here', async () => {
    const view = await connection.buckets.statuses.watch(`${task.nodeId}.>`);
    reporter.report(statusWith('one'));
    await clock.advance(0);
    const foreign = aTask({ slot: 9 });
    const status = (await stored())?.value;
    if (!status) throw new Error('no status');
    await connection.buckets.statuses.delete(key);
    await connection.buckets.statuses.put(`${task.nodeId}.${foreign.id}`, { ...status, taskId: foreign.id });
    await clock.advance(0);

    reporter.compareWith(view, () => false);
    await clock.advance(0);

    expect((await stored())?.value.message).toBe('one');
    expect([...view.entries.keys()]).toEqual([key]);
    await view.close();
  });

  it('takes a forgotten task off the bus', async () => {
    reporter.report(statusWith('one'));
    await clock.advance(0);

    reporter.forget(task.id);
    await clock.advance(0);

    expect(await stored()).toBeUndefined();
  });
});
