/** Row of the board of nodes: what their agents go through. */

import { byNode } from '../hosts.ts';
import { countsGraph, graph, row } from '../panels.ts';
import { increase, onNodes, rate, sum } from '../promql.ts';

export const agentsRow = row(
  'Agents',
  graph(
    'Tasks by state',
    'Tasks of a node by the state of their current attempt.',
    'short',
    { '{{instance}} {{state}}': `${sum('instance, state', onNodes('plimsoll_agent_tasks'))} > 0` },
    { steps: true, min: 0 },
  ),
  graph(
    'Time of an engine’s step',
    'How long the engine took for a step of a task: 95 of 100 were faster.',
    's',
    {
      '{{step}}': `histogram_quantile(0.95, ${sum('le, step', rate(onNodes('plimsoll_agent_step_duration_seconds_bucket')))})`,
    },
    { min: 0 },
  ),
  countsGraph('Attempts', 'Attempts of tasks begun again, and those that failed by reason.', {
    '{{instance}} restarts': byNode(increase(onNodes('plimsoll_agent_task_restarts_total'))),
    '{{instance}} {{reason}}': `${sum('instance, reason', increase(onNodes('plimsoll_task_failures_total')))} > 0`,
  }),
  countsGraph(
    'Engine troubles',
    'Calls the engine did not serve, failed probes, and containers of this cluster nobody assigned.',
    {
      '{{instance}} {{code}}': `${sum('instance, code', increase(onNodes('plimsoll_engine_failures_total')))} > 0`,
      '{{instance}} {{probe}} probe failed': `${sum('instance, probe', increase(onNodes('plimsoll_agent_probe_failures_total')))} > 0`,
      '{{instance}} orphans': byNode(onNodes('plimsoll_agent_orphans')),
    },
  ),
  countsGraph('Agent troubles', 'What an agent could not do, and does again: should be nothing.', {
    '{{instance}} status sent again': byNode(increase(onNodes('plimsoll_agent_status_retries_total'))),
    '{{instance}} disk not written': byNode(increase(onNodes('plimsoll_agent_disk_failures_total'))),
    '{{instance}} usage not read': byNode(increase(onNodes('plimsoll_agent_usage_failures_total'))),
    '{{instance}} networks not looked at': byNode(increase(onNodes('plimsoll_agent_network_watch_failures_total'))),
    '{{instance}} events lost': byNode(increase(onNodes('plimsoll_agent_events_lost_total'))),
    '{{instance}} old assignments refused': byNode(increase(onNodes('plimsoll_agent_stale_records_total'))),
    '{{instance}} mass stops checked': byNode(increase(onNodes('plimsoll_agent_mass_stops_checked_total'))),
    '{{instance}} sessions refused': byNode(increase(onNodes('plimsoll_agent_engine_sessions_refused_total'))),
    '{{instance}} ports not set': byNode(increase(onNodes('plimsoll_agent_ingress_failures_total'))),
    '{{instance}} leaving not acknowledged': byNode(
      increase(onNodes('plimsoll_overlay_acknowledgements_missing_total')),
    ),
  }),
  graph(
    'Network tables',
    'Changes of the tables of published ports and of the cluster’s networks, by result.',
    'short',
    {
      '{{instance}} ports {{result}}': sum('instance, result', increase(onNodes('plimsoll_ingress_changes_total'))),
      '{{instance}} networks {{result}}': sum('instance, result', increase(onNodes('plimsoll_overlay_changes_total'))),
    },
    { min: 0 },
  ),
  graph(
    'Sessions',
    'Sessions (logs, exec, copies) that coordinators have open with the engine.',
    'short',
    { '{{instance}}': byNode(onNodes('plimsoll_agent_engine_sessions')) },
    { steps: true, min: 0 },
  ),
  countsGraph('Images removed', 'Unused images removed because the disk was nearly full.', {
    '{{instance}}': byNode(increase(onNodes('plimsoll_agent_images_removed_total'))),
  }),
  graph(
    'Time to measure',
    'How long the parts of an agent’s page took to read, by part.',
    's',
    {
      '{{instance}} {{collector}}': sum(
        'instance, collector',
        onNodes('plimsoll_agent_scrape_collector_duration_seconds'),
      ),
    },
    { min: 0 },
  ),
);
