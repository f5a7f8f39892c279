/** What nodes, services and tasks use, as tables in the manner of `docker stats`. Pure. */
import type { CallUsage, NodeUsage, ServiceUsage, TaskUsageRow } from '../model/native-api.ts';
import { memorySize, trafficSize } from './byte-size.ts';
import { formatTable } from './table.ts';
import type { Terminal } from './terminal.ts';

type Colors = Terminal['colors'];

const UNKNOWN = '--';
/** No service is called so. */
const OUTSIDE = '(outside)';
/** Shares from which on a number is yellow and red. */
const MUCH = 0.7;
const VERY_MUCH = 0.9;

export function nodeTable(nodes: readonly NodeUsage[], colors: Colors): string {
  const rows = nodes.map((node) => [
    node.name,
    node.state === 'ready' ? node.state : colors.red(node.state),
    share(node.cpuCores, node.cpuTotalCores, colors),
    `${known(node.cpuCores, (cores) => cores.toFixed(2))} / ${known(node.cpuTotalCores, String)}`,
    pair(node.memoryBytes, node.memoryTotalBytes, memorySize),
    share(node.memoryBytes, node.memoryTotalBytes, colors),
    known(node.load1, (load) => load.toFixed(2)),
    share(node.diskBytes, node.diskTotalBytes, colors),
    String(node.tasks),
  ]);
  const headings = ['NODE', 'STATE', 'CPU %', 'CORES', 'MEM USAGE / TOTAL', 'MEM %', 'LOAD', 'DISK %', 'TASKS'];
  return formatTable(headings, rows);
}

export function serviceTable(services: readonly ServiceUsage[]): string {
  const rows = services.map((service) => [
    service.name,
    `${service.tasks}/${service.desired}`,
    cpuPercent(service.cpuCores),
    known(service.memoryBytes, memorySize),
    pair(service.receiveBytesPerSecond, service.transmitBytesPerSecond, trafficSize),
    known(service.connectionsPerSecond, perSecond),
  ]);
  return formatTable(['SERVICE', 'TASKS', 'CPU %', 'MEM USAGE', 'NET I/O PER S', 'CONN/S'], rows);
}

export function taskTable(tasks: readonly TaskUsageRow[], colors: Colors): string {
  const rows = tasks.map((task) => [
    task.name,
    task.node,
    colored(cpuPercent(task.cpuCores), ratio(task.cpuCores, task.cpuLimitCores), colors),
    pair(task.memoryBytes, task.memoryLimitBytes, memorySize),
    share(task.memoryBytes, task.memoryLimitBytes, colors),
    pair(task.receiveBytesPerSecond, task.transmitBytesPerSecond, trafficSize),
    known(task.connectionsPerSecond, perSecond),
  ]);
  return formatTable(['TASK', 'NODE', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'NET I/O PER S', 'CONN/S'], rows);
}

export function callTable(calls: readonly CallUsage[]): string {
  if (calls.length === 0)
    return 'No connections to tasks that publish a port or are on a network in the last seconds\n';
  const rows = calls.map(({ from, to, connectionsPerSecond }) => [
    from ?? OUTSIDE,
    to,
    perSecond(connectionsPerSecond),
  ]);
  return formatTable(['FROM', 'TO', 'CONN/S'], rows);
}

function perSecond(rate: number): string {
  return rate.toFixed(1);
}

function known(amount: number | undefined, format: (amount: number) => string): string {
  return amount === undefined ? UNKNOWN : format(amount);
}

function pair(left: number | undefined, right: number | undefined, format: (amount: number) => string): string {
  return `${known(left, format)} / ${known(right, format)}`;
}

/** 100 % is one core, as `docker stats` has it. */
function cpuPercent(cores: number | undefined): string {
  return known(cores, (amount) => `${(amount * 100).toFixed(2)}%`);
}

function share(used: number | undefined, total: number | undefined, colors: Colors): string {
  const part = ratio(used, total);
  return colored(
    known(part, (amount) => `${(amount * 100).toFixed(2)}%`),
    part,
    colors,
  );
}

function ratio(used: number | undefined, total: number | undefined): number | undefined {
  return used === undefined || !total ? undefined : used / total;
}

function colored(text: string, part: number | undefined, colors: Colors): string {
  if (part === undefined || part < MUCH) return text;
  return part < VERY_MUCH ? colors.yellow(text) : colors.red(text);
}
