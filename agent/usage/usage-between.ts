/** What is used, from two samples. Pure. */
import type { TaskUsage, Usage } from '../../model/messages.ts';
import type { ContainerSample, HostSample, UsageSample } from './usage-sample.ts';

type MeasuredContainer = UsageSample['tasks'][number];

/** The summary of a node at `now`; without a sample `before` it has amounts, but no rates. */
export function usageBetween(nodeId: string, before: UsageSample | undefined, now: UsageSample): Usage {
  const { host, disk } = now;
  const known = new Map(before?.tasks.map((each) => [each.containerId, each.sample]));
  const tasks = new Map<string, TaskUsage>();
  for (const container of now.tasks) {
    const usage = containerUsage(container, known.get(container.containerId));
    const together = tasks.get(container.taskId);
    tasks.set(container.taskId, together ? sumOf(together, usage) : usage);
  }
  return {
    nodeId,
    cpuCores: hostCores(before?.host, host),
    cpuTotalCores: host.cpuCores,
    memoryBytes: host.memoryBytes,
    memoryTotalBytes: host.memoryTotalBytes,
    load1: host.load1,
    disk,
    tasks: [...tasks.values()].map((usage) => ({ ...usage, connectionsPerSecond: connectionRate(usage, before, now) })),
    calls: now.connections && [...now.connections.calls],
  };
}

/** Not known of a task that was not there, or not counted, the time before. */
function connectionRate({ taskId }: TaskUsage, before: UsageSample | undefined, now: UsageSample): number | undefined {
  const seconds = now.connections && elapsedSeconds(before?.connections, now.connections);
  const [then, since] = [before?.connections?.byTask.get(taskId), now.connections?.byTask.get(taskId)];
  return roundedIfKnown(rate(then, since, seconds), 2);
}

function hostCores(before: HostSample | undefined, now: HostSample): number | undefined {
  const cores = rate(before?.cpuSeconds, now.cpuSeconds, elapsedSeconds(before, now));
  return cores === undefined ? undefined : rounded(Math.min(cores, now.cpuCores), 3);
}

function containerUsage(container: MeasuredContainer, before: ContainerSample | undefined): TaskUsage {
  const { taskId, serviceId, cpuLimitCores, sample } = container;
  const { traffic, earlierTraffic, memoryBytes, memoryLimitBytes } = sample;
  const cpuCores = rate(before?.cpuSeconds, sample.cpuSeconds, elapsedSeconds(before, sample));
  const trafficSeconds = traffic && elapsedSeconds(earlierTraffic, traffic);
  const perSecond = (counter: 'receivedBytes' | 'sentBytes') =>
    roundedIfKnown(rate(earlierTraffic?.[counter], traffic?.[counter], trafficSeconds), 0);
  return {
    taskId,
    serviceId,
    memoryBytes,
    cpuCores: roundedIfKnown(cpuCores, 4),
    cpuLimitCores,
    memoryLimitBytes: memoryLimitBytes > 0 ? memoryLimitBytes : undefined,
    receiveBytesPerSecond: perSecond('receivedBytes'),
    transmitBytesPerSecond: perSecond('sentBytes'),
  };
}

function elapsedSeconds(before: { atMs: number } | undefined, now: { atMs: number }): number | undefined {
  return before && now.atMs > before.atMs ? (now.atMs - before.atMs) / 1000 : undefined;
}

/**
 * Not known where a counter fell: one that began again and one a kernel set back a little look alike, and services are scaled by
 * what is told here.
 */
function rate(before: number | undefined, now: number | undefined, seconds: number | undefined): number | undefined {
  if (before === undefined || now === undefined || seconds === undefined || now < before) return undefined;
  return (now - before) / seconds;
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

function roundedIfKnown(value: number | undefined, decimals: number): number | undefined {
  return value === undefined ? undefined : rounded(value, decimals);
}

/** A task of several containers uses what they do together; a rate that is not known of one is not known of all. */
function sumOf(left: TaskUsage, right: TaskUsage): TaskUsage {
  const sum = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : a + b;
  return {
    taskId: left.taskId,
    serviceId: left.serviceId,
    memoryBytes: left.memoryBytes + right.memoryBytes,
    cpuCores: sum(left.cpuCores, right.cpuCores),
    cpuLimitCores: sum(left.cpuLimitCores, right.cpuLimitCores),
    memoryLimitBytes: sum(left.memoryLimitBytes, right.memoryLimitBytes),
    receiveBytesPerSecond: sum(left.receiveBytesPerSecond, right.receiveBytesPerSecond),
    transmitBytesPerSecond: sum(left.transmitBytesPerSecond, right.transmitBytesPerSecond),
  };
}
