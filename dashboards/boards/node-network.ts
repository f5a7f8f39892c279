/** Rows of the board of nodes: network and kernel. */

import { byNode, nodeRate } from '../hosts.ts';
import { few, foldedRow, graph, rising, row, shareGraph } from '../panels.ts';
import { onNodes, rate, sum } from '../promql.ts';

const links = 'device!="lo"';
const traffic = (what: string) => sum('instance, device', rate(onNodes(`node_network_${what}_total`, links)));
const trouble = (what: string) => `${sum('instance, device', rate(onNodes(`node_network_${what}_total`, links)))} > 0`;
const tcp = (field: string) => nodeRate(`node_netstat_${field}`);

export const networkRow = row(
  'Network',
  graph(
    'Received',
    'Bytes per second by network device.',
    'Bps',
    { '{{instance}} {{device}}': traffic('receive_bytes') },
    { min: 0 },
  ),
  graph(
    'Sent',
    'Bytes per second by network device.',
    'Bps',
    { '{{instance}} {{device}}': traffic('transmit_bytes') },
    { min: 0 },
  ),
  graph(
    'Packets',
    'Packets per second through all devices of a node.',
    'pps',
    {
      '{{instance}} in': byNode(rate(onNodes('node_network_receive_packets_total', links))),
      '{{instance}} out': byNode(rate(onNodes('node_network_transmit_packets_total', links))),
    },
    { min: 0 },
  ),
  graph(
    'Errors and drops',
    'Packets per second that a device could not take or send: only devices that had any.',
    'pps',
    {
      '{{instance}} {{device}} receive errors': trouble('receive_errs'),
      '{{instance}} {{device}} send errors': trouble('transmit_errs'),
      '{{instance}} {{device}} receive drops': trouble('receive_drop'),
      '{{instance}} {{device}} send drops': trouble('transmit_drop'),
    },
    { min: 0, thresholds: few },
  ),
  shareGraph(
    'Connections tracked',
    'Share of the table of tracked connections that is used: full, new connections fail.',
    {
      '{{instance}}': `${onNodes('node_nf_conntrack_entries')} / ${onNodes('node_nf_conntrack_entries_limit')}`,
    },
    { thresholds: rising(0.7, 0.9) },
  ),
  graph(
    'TCP',
    'Segments sent again and connections asked for again, per second, beside connections that stand.',
    'suffix: /s',
    {
      '{{instance}} sent again': tcp('Tcp_RetransSegs'),
      '{{instance}} SYN sent again': tcp('TcpExt_TCPSynRetrans'),
      '{{instance}} refused, queue full': tcp('TcpExt_ListenDrops'),
    },
    { min: 0 },
  ),
  graph(
    'Sockets',
    'Sockets by what they are at.',
    'short',
    {
      '{{instance}} in use': byNode(onNodes('node_sockstat_sockets_used')),
      '{{instance}} TCP in use': byNode(onNodes('node_sockstat_TCP_inuse')),
      '{{instance}} TCP waiting to end': byNode(onNodes('node_sockstat_TCP_tw')),
    },
    { min: 0 },
  ),
);

export const kernelRow = foldedRow(
  'Kernel',
  graph(
    'Switches',
    'Context switches, interrupts and new processes per second.',
    'suffix: /s',
    {
      '{{instance}} context switches': nodeRate('node_context_switches_total'),
      '{{instance}} interrupts': nodeRate('node_intr_total'),
      '{{instance}} new processes': nodeRate('node_forks_total'),
    },
    { min: 0 },
  ),
  graph(
    'Processes',
    'Processes able to run, and waiting for a disk.',
    'short',
    {
      '{{instance}} running': byNode(onNodes('node_procs_running')),
      '{{instance}} waiting': byNode(onNodes('node_procs_blocked')),
    },
    { min: 0 },
  ),
  graph(
    'Time in processors’ queues',
    'Seconds per second that tasks ran on, or waited for, a processor.',
    'suffix: cores',
    {
      '{{instance}} ran': nodeRate('node_schedstat_running_seconds_total'),
      '{{instance}} waited': nodeRate('node_schedstat_waiting_seconds_total'),
    },
    { min: 0 },
  ),
  graph(
    'Time slices',
    'Time slices processors gave, per second.',
    'suffix: /s',
    { '{{instance}}': nodeRate('node_schedstat_timeslices_total') },
    { min: 0 },
  ),
  graph(
    'Virtual machines',
    'Processor time given to virtual machines on the node.',
    'suffix: cores',
    { '{{instance}} {{mode}}': sum('instance, mode', rate(onNodes('node_cpu_guest_seconds_total'))) },
    { min: 0 },
  ),
  graph(
    'Packets handed to the kernel',
    'Packets processed, dropped for a full queue, and times the processing ran out of its quota, per second.',
    'suffix: /s',
    {
      '{{instance}} processed': nodeRate('node_softnet_processed_total'),
      '{{instance}} dropped': nodeRate('node_softnet_dropped_total'),
      '{{instance}} out of quota': nodeRate('node_softnet_times_squeezed_total'),
    },
    { min: 0 },
  ),
  graph(
    'File handles',
    'File handles in use, and how many there may be where that is a limit: newer kernels allow more than anyone can open.',
    'short',
    {
      '{{instance}} in use': onNodes('node_filefd_allocated'),
      '{{instance}} limit': `${onNodes('node_filefd_maximum')} < 1e12`,
    },
    { min: 0 },
  ),
  shareGraph('Entropy', 'Share of the pool of random bits that is full.', {
    '{{instance}}': `${onNodes('node_entropy_available_bits')} / ${onNodes('node_entropy_pool_size_bits')}`,
  }),
  graph(
    'Clock',
    'How far a node’s clock is from Prometheus’ own, the time of a scrape included.',
    's',
    { '{{instance}}': `${onNodes('node_time_seconds')} - timestamp(${onNodes('node_time_seconds')})` },
    { thresholds: undefined },
  ),
);
