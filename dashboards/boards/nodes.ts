/** Hosts by the USE method: utilisation, saturation and errors of processors, memory, disks and network. */
import type { Board } from '../board.ts';
import { cores, fileSystemUsed, memoryUsed, processorsUsed } from '../hosts.ts';
import { atLeast, column, none, plain, rising, row, stat, table } from '../panels.ts';
import { count, inLastHour, max, onNodes, orZero, sum } from '../promql.ts';
import { instance, job } from '../variables.ts';
import { agentsRow } from './node-agents.ts';
import { disksRow } from './node-disks.ts';
import { kernelRow, networkRow } from './node-network.ts';
import { memoryRow, processorsRow } from './node-processors.ts';

export const nodes: Board = {
  uid: 'plimsoll-nodes',
  title: 'Plimsoll / Nodes',
  description: 'Hosts by the USE method: utilisation, saturation and errors of processors, memory, disks and network.',
  variables: [job, instance],
  marks: [
    {
      name: 'Boots',
      expr: `1000 * ${onNodes('node_boot_time_seconds')}`,
      text: '{{instance}} booted',
      color: 'purple',
    },
  ],
  rows: [
    row(
      'Overview',
      stat(
        'Nodes',
        'Nodes whose agent Prometheus hears.',
        'short',
        count('', onNodes('node_boot_time_seconds')),
        plain,
      ),
      stat(
        'Engines that answer',
        'Container engines that answer their agent in time.',
        'short',
        sum('', onNodes('plimsoll_engine_up')),
        atLeast(1),
      ),
      stat('Cores', 'Logical processors of the nodes chosen.', 'short', sum('', onNodes('machine_cpu_cores'))),
      stat('Memory', 'Memory of the nodes chosen.', 'bytes', sum('', onNodes('machine_memory_bytes'))),
      stat(
        'Killed for want of memory',
        'Processes the kernel ended in the last hour because memory ran out, of a container or of the host.',
        'short',
        sum('', inLastHour(onNodes('node_vmstat_oom_kill'))),
        none,
      ),
      stat(
        'Parts of pages unread',
        'Parts of agents’ pages that could not be read: the graph at the end names them.',
        'short',
        orZero(count('', `${onNodes('plimsoll_agent_scrape_collector_success')} == 0`)),
        none,
      ),
      table(
        'Nodes',
        'Each node in a line.',
        ['instance'],
        [
          column('Processors used', 'percentunit', processorsUsed, rising(0.7, 0.9)),
          column('Load per core', 'short', `${max('instance', onNodes('node_load5'))} / ${cores}`, rising(1, 2)),
          column('Memory used', 'percentunit', max('instance', memoryUsed), rising(0.8, 0.95)),
          column(
            'Fullest file system',
            'percentunit',
            max('instance', fileSystemUsed('avail_bytes', 'size_bytes')),
            rising(0.8, 0.9),
          ),
          column('Containers', 'short', count('instance', onNodes('container_last_seen', 'name!=""'))),
          column('Engine answers', 'bool_yes_no', max('instance', onNodes('plimsoll_engine_up')), atLeast(1)),
          column('Up since', 'dateTimeFromNow', `1000 * ${max('instance', onNodes('node_boot_time_seconds'))}`),
        ],
      ),
      table(
        'Hosts',
        'Kernels and names of the hosts.',
        ['instance', 'nodename', 'sysname', 'release', 'machine'],
        [
          column(
            'Known',
            'bool_yes_no',
            max('instance, nodename, sysname, release, machine', onNodes('node_uname_info')),
          ),
        ],
      ),
    ),
    processorsRow,
    memoryRow,
    disksRow,
    networkRow,
    kernelRow,
    agentsRow,
  ],
};
