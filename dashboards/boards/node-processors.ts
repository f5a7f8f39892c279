/** Rows of the board of nodes: processors and memory. */

import { cores, memoryBytes, memoryUsed, nodeRate, pressure, processorsUsed } from '../hosts.ts';
import { graph, rising, row, shareGraph } from '../panels.ts';
import { max, onNodes, rate, sum } from '../promql.ts';

export const processorsRow = row(
  'Processors',
  shareGraph(
    'Used',
    'Share of a node’s processors that is busy.',
    { '{{instance}}': processorsUsed },
    { max: 1, thresholds: rising(0.7, 0.9) },
  ),
  graph(
    'By mode',
    'What the processors of the nodes chosen do, in cores. Much iowait: waiting for disks; steal: taken by the hypervisor.',
    'suffix: cores',
    { '{{mode}}': sum('mode', rate(onNodes('node_cpu_seconds_total', 'mode!="idle"'))) },
    { stacked: true, min: 0 },
  ),
  graph(
    'Load per core',
    'Processes that run or wait for a processor or a disk, by core: above 1 some wait.',
    'short',
    {
      '{{instance}} 1m': `${max('instance', onNodes('node_load1'))} / ${cores}`,
      '{{instance}} 5m': `${max('instance', onNodes('node_load5'))} / ${cores}`,
      '{{instance}} 15m': `${max('instance', onNodes('node_load15'))} / ${cores}`,
    },
    { min: 0, thresholds: rising(1, 2) },
  ),
  shareGraph(
    'Waiting for a processor',
    'Share of time in which some process waited for a processor (pressure), where the kernel tells.',
    { '{{instance}}': pressure('cpu_waiting') },
    { thresholds: rising(0.3, 0.6) },
  ),
);

export const memoryRow = row(
  'Memory',
  shareGraph(
    'Used',
    'Share of memory that is not available to programs without swapping.',
    { '{{instance}}': memoryUsed },
    { max: 1, thresholds: rising(0.8, 0.95) },
  ),
  graph(
    'What it is used for',
    'Of the nodes chosen. Cache is given back when programs want it.',
    'bytes',
    Object.fromEntries(
      ['MemFree', 'Cached', 'Buffers', 'Slab', 'AnonPages', 'Shmem'].map((field) => [
        field,
        sum('', memoryBytes(field)),
      ]),
    ),
    { stacked: true, min: 0 },
  ),
  graph(
    'Swap',
    'Swap space in use: a node that swaps is slow.',
    'bytes',
    { '{{instance}} in use': max('instance', `${memoryBytes('SwapTotal')} - ${memoryBytes('SwapFree')}`) },
    { min: 0 },
  ),
  graph(
    'Pages',
    'Pages per second: swapped, read and written, and faults that had to read the disk.',
    'suffix: /s',
    {
      '{{instance}} swapped in': nodeRate('node_vmstat_pswpin'),
      '{{instance}} swapped out': nodeRate('node_vmstat_pswpout'),
      '{{instance}} major faults': nodeRate('node_vmstat_pgmajfault'),
    },
    { min: 0 },
  ),
  shareGraph('Waiting for memory', 'Share of time in which some, or all, processes waited for memory (pressure).', {
    '{{instance}} some': pressure('memory_waiting'),
    '{{instance}} all': pressure('memory_stalled'),
  }),
);
