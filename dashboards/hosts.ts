/** Series of hosts as the boards ask for them, on the nodes chosen. */
import { count, onNodes, rate, sum } from './promql.ts';

/** The node's sum. */
export function byNode(expr: string): string {
  return sum('instance', expr);
}

/** `rate` of a counter, summed by node. */
export function nodeRate(metric: string): string {
  return byNode(rate(onNodes(metric)));
}

/** Share of time some processes waited, or all were stalled: `cpu_waiting`, `memory_stalled`. */
export function pressure(what: string): string {
  return nodeRate(`node_pressure_${what}_seconds_total`);
}

export function memoryBytes(field: string): string {
  return onNodes(`node_memory_${field}_bytes`);
}

export const memoryUsed = `1 - ${memoryBytes('MemAvailable')} / ${memoryBytes('MemTotal')}`;
export const cores = count('instance', onNodes('node_cpu_seconds_total', 'mode="idle"'));
export const processorsUsed = `1 - avg by (instance) (${rate(onNodes('node_cpu_seconds_total', 'mode="idle"'))})`;

/** File systems on disks. */
export function onDisk(metric: string): string {
  return onNodes(metric, 'fstype!~"tmpfs|ramfs"');
}

/** Share of each file system that is used, by what is left and what there is: bytes or inodes. */
export function fileSystemUsed(left: string, whole: string): string {
  return `1 - ${onDisk(`node_filesystem_${left}`)} / (${onDisk(`node_filesystem_${whole}`)} > 0)`;
}
