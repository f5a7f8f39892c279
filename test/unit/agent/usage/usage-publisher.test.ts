import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { agentMetrics } from '../../../../agent/agent-metrics.ts';
import { publishUsage, type UsagePublisherParts } from '../../../../agent/usage/usage-publisher.ts';
import type { ContainerSample } from '../../../../agent/usage/usage-sample.ts';
import type { Usage } from '../../../../model/messages.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { fakeUsageMeter } from '../../../support/fake-usage-meter.ts';
import { aContainer, aTask } from '../../../support/tasks.ts';

const task = aTask({ template: { Resources: { Limits: { NanoCPUs: 500_000_000 } } } });
const running = aContainer(task);

describe('publishUsage()', () => {
  let clock: FakeClock;
  let said: Usage[];
  let forgotten: string[];
  let containers: (typeof running)[];
  let ending: AbortController;
  let registry: ReturnType<typeof createMetrics>;

  beforeEach(() => {
    clock = new FakeClock();
    said = [];
    forgotten = [];
    containers = [running];
    ending = new AbortController();
    registry = createMetrics('agent', '0');
  });
  afterEach(() => ending.abort());

  function start(
    meter: Partial<UsagePublisherParts['meter']>,
    others: Pick<Partial<UsagePublisherParts>, 'log' | 'connections'> = {},
  ): void {
    const parts: UsagePublisherParts = {
      nodeId: derivedId('node'),
      clock,
      log: createLog('test', 'silent'),
      metrics: agentMetrics(registry),
      meter: { ...fakeUsageMeter, forget: (id) => void forgotten.push(id), ...meter },
      tasks: () => [{ record: task, containers }],
      rootDir: () => '/var/lib/docker',
      publish: (usage) => void said.push(usage),
      ...others,
    };
    void publishUsage(parts, ending.signal);
  }

  /** Uses a quarter of a core. */
  const quarter = (): ContainerSample => ({
    atMs: clock.elapsedMs(),
    cpuSeconds: clock.elapsedMs() / 4_000,
    memoryBytes: 1_000,
    memoryLimitBytes: 2_000,
    traffic: undefined,
    earlierTraffic: undefined,
  });

  test('speaks at once and every two seconds, with rates from the second time on', async () => {
    start({ container: quarter });
    await clock.advance(6_000);

    expect(said.map(({ tasks }) => tasks[0]?.cpuCores)).toEqual([undefined, 0.25, 0.25, 0.25]);
    expect(said[1]?.tasks).toEqual([
      {
        taskId: task.id,
        serviceId: task.serviceId,
        cpuCores: 0.25,
        cpuLimitCores: 0.5,
        memoryBytes: 1_000,
        memoryLimitBytes: 2_000,
      },
    ]);
  });

  test('a host that refuses to count again after a pause is no news', async () => {
    const log = createLog('test', 'silent');
    const warn = vi.spyOn(log, 'warn');
    let asked = 0;
    const connections = async () => {
      asked += 1;
      if (asked % 2 === 1) throw new Error('refused');
      return undefined;
    };
    start({ container: quarter }, { log, connections });
    await clock.advance(8_000);

    expect(asked).toBeGreaterThan(2);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('measures running containers only, and gives back what was open for one that ended', async () => {
    start({ container: quarter });
    await clock.advance(2_000);
    containers = [{ ...running, phase: 'exited' }];
    await clock.advance(2_000);

    expect(said.at(-1)?.tasks).toEqual([]);
    expect(forgotten).toEqual([running.id]);
  });

  test('goes on after it could not read the host, and counts that', async () => {
    let broken = true;
    start({ host: () => (broken ? undefined : fakeUsageMeter.host()) });
    await clock.advance(2_000);
    expect(said).toEqual([]);
    broken = false;
    await clock.advance(2_000);

    expect(said).toHaveLength(1);
    expect(await registry.getSingleMetricAsString('plimsoll_agent_usage_failures_total')).toMatch(/ 2$/);
  });

  test('a file system that hangs is asked once and delays nothing', async () => {
    let asked = 0;
    const disk = () => {
      asked += 1;
      return new Promise<undefined>(() => undefined);
    };
    start({ disk });
    await clock.advance(60_000);

    expect(asked).toBe(1);
    expect(said).toHaveLength(31);
  });

  test('tells how full the disk is, which it looks at every half minute', async () => {
    let asked = 0;
    const disk = async () => {
      asked += 1;
      return { bytes: asked, totalBytes: 100 };
    };
    start({ disk });
    await clock.advance(60_000);

    expect(said[1]?.disk).toEqual({ bytes: 1, totalBytes: 100 });
    expect(asked).toBe(3);
  });
});
