/** Disk traffic of a cgroup, in cAdvisor's terms. Formats: the kernel's cgroup-v1/blkio-controller.rst, cgroup-v2.rst. */
import type { CgroupFiles } from './container-cgroups.ts';
import { numberIn } from './kernel-text.ts';
import type { ContainerMetricName, Put } from './metric-catalogue.ts';

/** The name of a device by its `major:minor`; those numbers themselves when there is none, never nothing. */
export type DeviceName = (majorMinor: string) => string;

export function readIo(files: CgroupFiles, nameOf: DeviceName, put: Put): void {
  if (files.versionOf('blkio') === 1) readV1(files, nameOf, put);
  else readV2(files, nameOf, put);
}

/** Statistic of v1 -> the metrics its reads and writes go to. The last three only exist with the schedulers cfq and bfq. */
const v1Statistics: readonly {
  readonly name: string;
  readonly read: ContainerMetricName;
  readonly write: ContainerMetricName;
  /** The kernel's unit in the metric's. */
  readonly divisor: number;
}[] = [
  {
    name: 'io_service_bytes',
    read: 'container_fs_reads_bytes_total',
    write: 'container_fs_writes_bytes_total',
    divisor: 1,
  },
  { name: 'io_serviced', read: 'container_fs_reads_total', write: 'container_fs_writes_total', divisor: 1 },
  {
    name: 'io_merged',
    read: 'container_fs_reads_merged_total',
    write: 'container_fs_writes_merged_total',
    divisor: 1,
  },
  {
    name: 'io_service_time',
    read: 'container_fs_read_seconds_total',
    write: 'container_fs_write_seconds_total',
    divisor: 1e9,
  },
];

interface Operation {
  readonly majorMinor: string;
  /** Read, Write, Sync, Async, Discard, Total. */
  readonly kind: string;
  readonly count: number;
}

function readV1(files: CgroupFiles, nameOf: DeviceName, put: Put): void {
  for (const { name, read, write, divisor } of v1Statistics) {
    for (const operation of operationsOf(files, name)) {
      const { majorMinor, kind, count } = operation;
      const device = `device="${nameOf(majorMinor)}"`;
      if (kind === 'Read') put(read, count / divisor, device);
      if (kind === 'Write') put(write, count / divisor, device);
      if (name === 'io_service_bytes') putDeviceUsage(operation, nameOf, put);
    }
  }
}

/** The scheduler in use counts; only where it does not, the throttling layer above it is asked. */
function operationsOf({ v1 }: CgroupFiles, statistic: string): Operation[] {
  for (const layer of ['blkio.bfq', 'blkio', 'blkio.throttle']) {
    const operations = parseOperations(v1(`blkio/${layer}.${statistic}_recursive`));
    if (operations.length > 0) return operations;
  }
  return parseOperations(v1(`blkio/blkio.throttle.${statistic}`));
}

/** Lines of `8:0 Read 123`; the sum over all devices at the end has no device. */
function parseOperations(text: string | undefined): Operation[] {
  if (text === undefined || text.startsWith('Total')) return [];
  return text.split('\n').flatMap((line) => {
    const [majorMinor = '', kind, count] = line.split(' ');
    return kind === undefined || count === undefined ? [] : [{ majorMinor, kind, count: Number(count) }];
  });
}

function putDeviceUsage({ majorMinor, kind, count }: Operation, nameOf: DeviceName, put: Put): void {
  const [major, minor] = majorMinor.split(':');
  const labels = `device="${nameOf(majorMinor)}",major="${major}",minor="${minor}",operation="${kind}"`;
  put('container_blkio_device_usage_total', count, labels);
}

/** Key of `io.stat` -> metric and divisor. */
const v2Keys: Readonly<Record<string, readonly [ContainerMetricName, number]>> = {
  rbytes: ['container_fs_reads_bytes_total', 1],
  wbytes: ['container_fs_writes_bytes_total', 1],
  rios: ['container_fs_reads_total', 1],
  wios: ['container_fs_writes_total', 1],
  'cost.usage': ['container_fs_io_cost_usage_seconds_total', 1e6],
  'cost.wait': ['container_fs_io_cost_wait_seconds_total', 1e6],
  'cost.indebt': ['container_fs_io_cost_indebt_seconds_total', 1e6],
  'cost.indelay': ['container_fs_io_cost_indelay_seconds_total', 1e6],
};

/** Lines of `8:0 rbytes=1 wbytes=2 rios=3 …`. */
function readV2({ v2 }: CgroupFiles, nameOf: DeviceName, put: Put): void {
  for (const line of (v2('io.stat') ?? '').split('\n')) {
    const [majorMinor = '', ...pairs] = line.split(' ');
    if (pairs.length === 0) continue;
    const device = `device="${nameOf(majorMinor)}"`;
    for (const pair of pairs) {
      const [key = '', text] = pair.split('=');
      const count = numberIn(text);
      if (count === undefined) continue;
      const [metric, divisor] = v2Keys[key] ?? [];
      if (metric && divisor) put(metric, count / divisor, device);
      if (key === 'rbytes') putDeviceUsage({ majorMinor, kind: 'Read', count }, nameOf, put);
      if (key === 'wbytes') putDeviceUsage({ majorMinor, kind: 'Write', count }, nameOf, put);
    }
  }
}
