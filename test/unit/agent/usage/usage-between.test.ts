import { describe, expect, test } from 'vitest';
import { usageBetween } from '../../../../agent/usage/usage-between.ts';
import type { ContainerSample, HostSample, UsageSample } from '../../../../agent/usage/usage-sample.ts';
import { Usage } from '../../../../model/messages.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';

const MIB = 2 ** 20;
const nodeId = derivedId('node');
const taskId = derivedId('task');
const serviceId = derivedId('service');

function host(atMs: number, changes: Partial<HostSample> = {}): HostSample {
  return { atMs, cpuSeconds: 100, cpuCores: 4, memoryBytes: 1, memoryTotalBytes: 2, load1: 0.5, ...changes };
}

function container(atMs: number, changes: Partial<ContainerSample> = {}): ContainerSample {
  return {
    atMs,
    cpuSeconds: 10,
    memoryBytes: MIB,
    memoryLimitBytes: 0,
    traffic: undefined,
    earlierTraffic: undefined,
    ...changes,
  };
}

/** 4,000 bytes received and 1,000 sent from one moment to the other. */
function grownTraffic(fromMs: number, toMs: number): Pick<ContainerSample, 'traffic' | 'earlierTraffic'> {
  return {
    earlierTraffic: { atMs: fromMs, receivedBytes: 1_000, sentBytes: 2_000 },
    traffic: { atMs: toMs, receivedBytes: 5_000, sentBytes: 3_000 },
  };
}

interface SampleParts {
  readonly host?: Partial<HostSample>;
  /** By container id. */
  readonly containers?: Readonly<Record<string, Partial<ContainerSample>>>;
  readonly cpuLimitCores?: number;
}

function sample(atMs: number, parts: SampleParts = {}): UsageSample {
  const containers = Object.entries(parts.containers ?? {});
  const task = { taskId, serviceId, cpuLimitCores: parts.cpuLimitCores };
  return {
    host: host(atMs, parts.host),
    disk: undefined,
    tasks: containers.map(([containerId, changes]) => ({ ...task, containerId, sample: container(atMs, changes) })),
  };
}

describe('usageBetween()', () => {
  test('has amounts and limits, but no rates, from the first sample', () => {
    const now = sample(0, { containers: { a: { memoryLimitBytes: 8 * MIB } }, cpuLimitCores: 0.5 });

    expect(Usage.parse(JSON.parse(JSON.stringify(usageBetween(nodeId, undefined, now))))).toEqual({
      nodeId,
      cpuTotalCores: 4,
      memoryBytes: 1,
      memoryTotalBytes: 2,
      load1: 0.5,
      tasks: [{ taskId, serviceId, memoryBytes: MIB, memoryLimitBytes: 8 * MIB, cpuLimitCores: 0.5 }],
    });
  });

  test('has the rates of the time between two samples', () => {
    const before = sample(1_000, { containers: { a: {} } });
    const changes = { cpuSeconds: 10.5, ...grownTraffic(1_000, 9_000) };
    const now = sample(3_000, { host: { cpuSeconds: 103 }, containers: { a: changes } });

    const usage = usageBetween(nodeId, before, now);

    expect(usage.cpuCores).toBe(1.5);
    expect(usage.tasks[0]).toMatchObject({
      cpuCores: 0.25,
      receiveBytesPerSecond: 500,
      transmitBytesPerSecond: 125,
    });
  });

  test('measures each container over its own time, however long the reading took', () => {
    const before = sample(0, { containers: { a: {} } });
    const now = sample(2_000, { containers: { a: { atMs: 4_000, cpuSeconds: 14 } } });

    expect(usageBetween(nodeId, before, now).tasks[0]?.cpuCores).toBe(1);
  });

  test('tells nothing of a time in which counters fell, began they again or were set back a little', () => {
    const before = sample(0, { host: { cpuSeconds: 5_000 }, containers: { a: { cpuSeconds: 1_000 } } });
    const earlierTraffic = { atMs: 0, receivedBytes: 1_000, sentBytes: 2_000 };
    const traffic = { atMs: 2_000, receivedBytes: 999, sentBytes: 20 };
    const containers = { a: { cpuSeconds: 999.99, traffic, earlierTraffic } };
    const now = sample(2_000, { host: { cpuSeconds: 4_999 }, containers });

    const usage = usageBetween(nodeId, before, now);

    expect(usage.cpuCores).toBeUndefined();
    expect(usage.tasks[0]).toEqual({ taskId, serviceId, memoryBytes: MIB });
  });

  test('does not take a new container’s counters for growth of the old one’s', () => {
    const before = sample(0, { containers: { a: {} } });
    const now = sample(2_000, { containers: { b: { cpuSeconds: 100 } } });

    expect(usageBetween(nodeId, before, now).tasks[0]?.cpuCores).toBeUndefined();
  });

  test('knows no rate when no time has passed', () => {
    const both = sample(0, { containers: { a: {} } });

    expect(usageBetween(nodeId, both, both)).toMatchObject({ cpuCores: undefined, tasks: [{ cpuCores: undefined }] });
  });

  test('never tells of more processors than there are', () => {
    const usage = usageBetween(nodeId, sample(0), sample(2_000, { host: { cpuSeconds: 109 } }));

    expect(usage.cpuCores).toBe(4);
  });

  test('a task of two containers uses what both do; one without a limit has none', () => {
    const before = sample(0, { containers: { a: {}, b: {} } });
    const now = sample(2_000, {
      containers: { a: { cpuSeconds: 12, memoryLimitBytes: MIB, ...grownTraffic(0, 2_000) }, b: { cpuSeconds: 11 } },
    });

    expect(usageBetween(nodeId, before, now).tasks).toEqual([
      { taskId, serviceId, memoryBytes: 2 * MIB, cpuCores: 1.5 },
    ]);
  });

  test('has the connections begun to a task between two counts, and none where one of them is missing', () => {
    const counted = (atMs: number, begun?: number): UsageSample => ({
      ...sample(atMs, { containers: { a: {} } }),
      ...(begun !== undefined && { connections: { atMs, byTask: new Map([[taskId, begun]]), calls: [] } }),
    });
    const rate = (before: UsageSample, now: UsageSample) =>
      usageBetween(nodeId, before, now).tasks[0]?.connectionsPerSecond;

    expect(rate(counted(0, 10), counted(2_000, 25))).toBe(7.5);
    expect(rate(counted(0, 10), counted(2_000, 10))).toBe(0);
    expect(rate(counted(0), counted(2_000, 25))).toBeUndefined();
    expect(rate(counted(0, 10), counted(2_000))).toBeUndefined();
  });
});
