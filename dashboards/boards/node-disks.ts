/** Rows of the board of nodes: disks and file systems. */

import { fileSystemUsed, onDisk, pressure } from '../hosts.ts';
import { few, graph, rising, row, shareGraph, stat } from '../panels.ts';
import { count, max, onNodes, orZero, rate, sum } from '../promql.ts';

const realDisks = 'device!~"loop.*|ram.*|zram.*"';
const disk = (what: string) => sum('instance, device', rate(onNodes(`node_disk_${what}_total`, realDisks)));

export const disksRow = row(
  'Disks',
  graph(
    'Traffic',
    'Bytes per second read from and written to each disk.',
    'Bps',
    {
      '{{instance}} {{device}} read': disk('read_bytes'),
      '{{instance}} {{device}} written': disk('written_bytes'),
    },
    { min: 0 },
  ),
  graph(
    'Requests',
    'Reads and writes completed per second.',
    'iops',
    {
      '{{instance}} {{device}} reads': disk('reads_completed'),
      '{{instance}} {{device}} writes': disk('writes_completed'),
    },
    { min: 0 },
  ),
  shareGraph(
    'Busy',
    'Share of time in which a disk had requests.',
    { '{{instance}} {{device}}': disk('io_time_seconds') },
    { thresholds: rising(0.7, 0.9) },
  ),
  graph(
    'Waiting requests',
    'Requests that wait for a disk or are served, on average and right now.',
    'short',
    {
      '{{instance}} {{device}}': disk('io_time_weighted_seconds'),
      '{{instance}} {{device}} now': sum('instance, device', onNodes('node_disk_io_now', realDisks)),
    },
    { min: 0 },
  ),
  graph(
    'Time per request',
    'Mean time a read or a write took.',
    's',
    {
      '{{instance}} {{device}} read': `${disk('read_time_seconds')} / (${disk('reads_completed')} > 0)`,
      '{{instance}} {{device}} write': `${disk('write_time_seconds')} / (${disk('writes_completed')} > 0)`,
    },
    { min: 0 },
  ),
  shareGraph('Waiting for disks', 'Share of time in which some, or all, processes waited for a disk (pressure).', {
    '{{instance}} some': pressure('io_waiting'),
    '{{instance}} all': pressure('io_stalled'),
  }),
  shareGraph(
    'File systems',
    'Share of each real file system that is used.',
    { '{{instance}} {{mountpoint}}': fileSystemUsed('avail_bytes', 'size_bytes') },
    { max: 1, thresholds: rising(0.8, 0.9) },
  ),
  shareGraph(
    'Inodes',
    'Share of each real file system’s inodes that is used.',
    { '{{instance}} {{mountpoint}}': fileSystemUsed('files_free', 'files') },
    { max: 1, thresholds: rising(0.8, 0.9) },
  ),
  graph(
    'Free, root’s share included',
    'Free space of each real file system.',
    'bytes',
    {
      '{{instance}} {{mountpoint}}': max('instance, mountpoint', onDisk('node_filesystem_free_bytes')),
    },
    { min: 0 },
  ),
  stat(
    'Read-only',
    'Real file systems mounted read-only: after an error a kernel does that.',
    'short',
    orZero(count('', `${onNodes('node_filesystem_readonly', 'fstype=~"ext.|xfs|btrfs"')} == 1`)),
    few,
  ),
  stat(
    'Unreadable',
    'File systems whose size could not be learnt.',
    'short',
    orZero(count('', `${onNodes('node_filesystem_device_error')} == 1`)),
    few,
  ),
);
