/** The cluster at a glance: is all that is wanted there, is there room left, what broke lately. */
import type { Board } from '../board.ts';
import {
  atLeast,
  column,
  countsGraph,
  graph,
  nameStat,
  none,
  plain,
  rising,
  row,
  shareGauge,
  shareGraph,
  stat,
  table,
} from '../panels.ts';
import { count, increase, max, min, of, orZero, quantiles, rate, sum, top } from '../promql.ts';
import { job } from '../variables.ts';

const allNodes = (metric: string, ...matchers: string[]) => max('node', of(metric, ...matchers));
const nodesIn = (state: string) =>
  orZero(count('', `${allNodes('plimsoll_node_status_state', `state="${state}"`)} == 1`));
const amount = (what: string, resource: string) =>
  sum('', allNodes(`plimsoll_node_status_${what}`, `resource="${resource}"`));
const perService = (metric: string) => max('service, stack', of(metric));
const missing = `${perService('plimsoll_service_status_replicas_unavailable')} > 0`;
const replicas = (what: string) => sum('', perService(`plimsoll_service_${what}`));

export const idleShare = `avg by (instance) (${rate(of('node_cpu_seconds_total', 'mode="idle"'))})`;
export const memoryShare = `1 - ${of('node_memory_MemAvailable_bytes')} / ${of('node_memory_MemTotal_bytes')}`;

export const cluster: Board = {
  uid: 'plimsoll-cluster',
  title: 'Plimsoll / Cluster',
  description: 'Is all that is wanted there, is there room left, and what broke lately.',
  variables: [job],
  marks: [],
  rows: [
    row(
      'Is it well?',
      stat('Nodes ready', 'Nodes that are heard of and whose engine answers.', 'short', nodesIn('ready'), atLeast(1)),
      stat(
        'Nodes not ready',
        'Suspect, lost, or with an engine that does not answer: see Nodes, and "plim why NODE".',
        'short',
        orZero(count('', `${allNodes('plimsoll_node_status_condition', 'condition="Ready"', 'status="true"')} == 0`)),
        none,
      ),
      stat('Services', 'Services of the cluster.', 'short', orZero(count('', perService('plimsoll_service_info')))),
      stat(
        'Services short of tasks',
        'Services with fewer available tasks than wanted; the table below names them.',
        'short',
        orZero(count('', missing)),
        none,
      ),
      stat(
        'Tasks that fit nowhere',
        'Tasks that wait because no node can take them: "plim why SERVICE" has the table of nodes.',
        'short',
        orZero(sum('', max('service, stack, reason', of('plimsoll_service_tasks_pending')))),
        none,
      ),
      stat(
        'Would survive a loss',
        'Whether every task would find another place, whichever node were lost. "plim plan --lose NODE" tells what would not.',
        'bool_yes_no',
        min('', max('node', of('plimsoll_survives_node_loss'))),
        atLeast(1),
      ),
      nameStat('Leader', 'The coordinator that plans and decides.', '{{node}}', max('node', of('plimsoll_leader'))),
      stat(
        'Alerts firing',
        'Alerts that fire now; the Alertmanager tells whom it told.',
        'short',
        orZero(count('', 'ALERTS{alertstate="firing"}')),
        none,
      ),
      stat(
        'Pages not answered',
        'Agents, coordinators and tasks that Prometheus cannot scrape.',
        'short',
        orZero(count('', `${of('up')} == 0`)),
        none,
      ),
    ),
    row(
      'Room',
      shareGauge(
        'Processors reserved',
        'Share of the processors of all active nodes that tasks reserved: at 100 % nothing more can be placed that reserves.',
        `${amount('reserved', 'cpu')} / ${amount('allocatable', 'cpu')}`,
        rising(0.8, 0.95),
      ),
      shareGauge(
        'Memory reserved',
        'Share of the memory of all active nodes that tasks reserved.',
        `${amount('reserved', 'memory')} / ${amount('allocatable', 'memory')}`,
        rising(0.8, 0.95),
      ),
      shareGauge('Processors used', 'Share of all processors that is busy.', `1 - avg(${idleShare})`, rising(0.7, 0.9)),
      shareGauge(
        'Memory used',
        'Share of all memory that is not available to programs.',
        `1 - ${sum('', of('node_memory_MemAvailable_bytes'))} / ${sum('', of('node_memory_MemTotal_bytes'))}`,
        rising(0.8, 0.95),
      ),
      shareGraph(
        'Processors used, by node',
        'Share of each node’s processors that is busy.',
        { '{{instance}}': `1 - ${idleShare}` },
        { thresholds: rising(0.7, 0.9), max: 1 },
      ),
      shareGraph(
        'Memory used, by node',
        'Share of each node’s memory that is not available to programs.',
        { '{{instance}}': memoryShare },
        { thresholds: rising(0.8, 0.95), max: 1 },
      ),
    ),
    row(
      'Tasks',
      graph(
        'Tasks',
        'Tasks wanted by all services, and how many of them are ready and available. Ready and wanted should lie on each other.',
        'short',
        {
          wanted: replicas('spec_replicas'),
          'run or shall run': replicas('status_replicas'),
          ready: replicas('status_replicas_ready'),
          available: replicas('status_replicas_available'),
        },
        { steps: true, min: 0 },
      ),
      graph(
        'Tasks that run, by node',
        'How the tasks are spread.',
        'short',
        { '{{node}}': allNodes('plimsoll_node_status_tasks_running') },
        { steps: true, min: 0, stacked: true },
      ),
      countsGraph(
        'Restarts',
        'Tasks started anew by their agent, by service and why their attempt ended: the ten most.',
        {
          '{{service}} ({{reason}})': top(
            10,
            `${sum('service, reason', increase(of('plimsoll_service_task_restarts_total')))} > 0`,
          ),
        },
      ),
      countsGraph(
        'Killed for want of memory',
        'Containers of a service that the kernel ended because their memory limit was reached.',
        {
          '{{service}}': `${sum('service', increase(of('plimsoll_service_oom_kills_total')))} > 0`,
        },
      ),
      table(
        'Services short of tasks',
        'Services with fewer available tasks than wanted: none in health. A service’s name leads to its own dashboard.',
        ['service', 'stack'],
        [
          column('Wanted', 'short', `${perService('plimsoll_service_spec_replicas')} and ${missing}`),
          column('Missing', 'short', missing, none),
        ],
      ),
    ),
    row(
      'Nodes',
      table(
        'Nodes',
        'What each node runs and what is left of it. A node’s name leads to its own dashboard.',
        ['node'],
        [
          column(
            'Ready',
            'bool_yes_no',
            allNodes('plimsoll_node_status_condition', 'condition="Ready"', 'status="true"'),
            atLeast(1),
          ),
          column('Takes tasks', 'bool_yes_no', allNodes('plimsoll_node_spec_availability', 'availability="active"'), {
            base: 'orange',
            steps: [{ from: 1, color: 'green' }],
          }),
          column('Tasks', 'short', allNodes('plimsoll_node_status_tasks_running')),
          column('Cores', 'short', allNodes('plimsoll_node_status_capacity', 'resource="cpu"')),
          column('Cores reserved', 'short', allNodes('plimsoll_node_status_reserved', 'resource="cpu"')),
          column('Memory', 'bytes', allNodes('plimsoll_node_status_capacity', 'resource="memory"')),
          column('Memory reserved', 'bytes', allNodes('plimsoll_node_status_reserved', 'resource="memory"')),
          column('Loss would be survived', 'bool_yes_no', allNodes('plimsoll_survives_node_loss'), atLeast(1)),
          column('Last told its usage', 's', min('node', of('plimsoll_node_usage_age_seconds')), rising(6, 15)),
          column(
            'In the cluster since',
            'dateTimeFromNow',
            `1000 * ${allNodes('plimsoll_node_created_timestamp_seconds')}`,
          ),
        ],
      ),
      table(
        'What the nodes are',
        'Addresses, versions and kinds of the nodes.',
        ['node', 'address', 'role', 'engine_version', 'agent_version', 'os', 'architecture'],
        [
          column(
            'Known',
            'bool_yes_no',
            max('node, address, role, engine_version, agent_version, os, architecture', of('plimsoll_node_info')),
            plain,
          ),
        ],
      ),
    ),
    row(
      'How fast it is',
      graph(
        'Until a task has a node',
        'From the wish for a task, or since it fits no node, until it is assigned to one.',
        's',
        quantiles('plimsoll_task_scheduling_duration_seconds'),
        { min: 0 },
      ),
      graph(
        'Until a task runs',
        'From the order to run until the task runs, healthy where there is a health check.',
        's',
        quantiles('plimsoll_task_start_duration_seconds'),
        { min: 0 },
      ),
      graph(
        'Until a lost task is replaced',
        'From the loss of a node until a task that stands in for one of its tasks runs. Empty while no node is lost.',
        's',
        quantiles('plimsoll_task_failover_duration_seconds'),
        { min: 0 },
      ),
      countsGraph('Nodes lost', 'Nodes declared lost, and rounds of probes of silent ones by how they ended.', {
        lost: sum('', increase(of('plimsoll_node_losses_total'))),
        'probed: {{outcome}}': `${sum('outcome', increase(of('plimsoll_node_probes_total')))} > 0`,
      }),
      graph(
        'Network traffic, by node',
        'Bytes per second through all network devices of a node, both ways; virtual devices count too.',
        'Bps',
        {
          '{{instance}} in': sum('instance', rate(of('node_network_receive_bytes_total', 'device!="lo"'))),
          '{{instance}} out': sum('instance', rate(of('node_network_transmit_bytes_total', 'device!="lo"'))),
        },
        { min: 0 },
      ),
      shareGraph(
        'Fullest file system, by node',
        'Share of the fullest real file system of each node that is used.',
        {
          '{{instance}}': max(
            'instance',
            `1 - ${of('node_filesystem_avail_bytes', 'fstype!~"tmpfs|ramfs"')} / ${of('node_filesystem_size_bytes', 'fstype!~"tmpfs|ramfs"')}`,
          ),
        },
        { max: 1, thresholds: rising(0.8, 0.9) },
      ),
    ),
  ],
};
