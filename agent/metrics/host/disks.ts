/** /proc/diskstats under node_exporter's names. Format: the kernel's iostats.rst. Pure. */
import { labelText } from '../../../runtime/label-text.ts';
import { blockDevices } from '../kernel-text.ts';
import { type Column, columnFamilies, type Family, type FamilyType } from './family.ts';

/** Partitions, RAM disks, loop and floppy devices: what node_exporter leaves out too. */
const ignoredDevice = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;
/** Sectors are of 512 bytes whatever the device's own are. */
const SECTORS_PER_BYTE = 1 / 512;
const MILLISECONDS_PER_SECOND = 1000;

const counter = (name: string, help: string, unitsPer = 1): Column => column(name, 'counter', help, unitsPer);

/** In the order of the line, after major, minor and name. */
export const diskColumns: readonly Column[] = [
  counter('reads_completed_total', 'Reads completed.'),
  counter('reads_merged_total', 'Reads merged with a neighbour.'),
  counter('read_bytes_total', 'Bytes read.', SECTORS_PER_BYTE),
  counter('read_time_seconds_total', 'Seconds spent by all reads.', MILLISECONDS_PER_SECOND),
  counter('writes_completed_total', 'Writes completed.'),
  counter('writes_merged_total', 'Writes merged with a neighbour.'),
  counter('written_bytes_total', 'Bytes written.', SECTORS_PER_BYTE),
  counter('write_time_seconds_total', 'Seconds spent by all writes.', MILLISECONDS_PER_SECOND),
  column('io_now', 'gauge', 'Requests in progress.', 1),
  counter('io_time_seconds_total', 'Seconds with requests in progress.', MILLISECONDS_PER_SECOND),
  counter('io_time_weighted_seconds_total', 'Seconds spent by all requests.', MILLISECONDS_PER_SECOND),
  counter('discards_completed_total', 'Discards completed.'),
  counter('discards_merged_total', 'Discards merged with a neighbour.'),
  counter('discarded_sectors_total', 'Sectors discarded.'),
  counter('discard_time_seconds_total', 'Seconds spent by all discards.', MILLISECONDS_PER_SECOND),
  counter('flush_requests_total', 'Flushes completed.'),
  counter('flush_requests_time_seconds_total', 'Seconds spent by all flushes.', MILLISECONDS_PER_SECOND),
];

function column(name: string, type: FamilyType, help: string, unitsPer: number): Column {
  return { name: `node_disk_${name}`, type, help, unitsPer };
}

export function diskFamilies(diskstats: string): Family[] {
  const disks = blockDevices(diskstats).filter(({ device }) => !ignoredDevice.test(device));
  const rows = disks.map(({ device, counters }) => ({ labels: labelText({ device }), numbers: counters }));
  return columnFamilies(diskColumns, rows);
}
