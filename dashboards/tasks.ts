/** Tasks, as the coordinators tell of them, with the slot and the node that people know them by. */
import { atLeast, column, few } from './panels.ts';
import { inLastHour, max, of } from './promql.ts';

/** A series per task under `service`, `slot` and `node`; of tasks of one slot, such as in an update, the highest. */
export function placed(expr: string): string {
  const place = max('service, task, slot, node', of('plimsoll_task_info'));
  return max(
    'service, slot, node',
    `${max('service, task', expr)} * on (service, task) group_left (slot, node) ${place}`,
  );
}

/** Columns that tables of tasks have in common. `series` chooses the tasks. */
export function taskColumns(series: (metric: string) => string) {
  const since = (metric: string) => `1000 * ${placed(series(metric))}`;
  return {
    ready: column('Ready', 'bool_yes_no', placed(series('plimsoll_task_status_ready')), atLeast(1)),
    restarts: column(
      'Restarts in the last hour',
      'short',
      placed(inLastHour(series('plimsoll_task_restarts_total'))),
      few,
    ),
    lastExit: column('Last exit code', 'none', placed(series('plimsoll_task_last_terminated_exitcode')), few),
    assigned: column('Assigned', 'dateTimeFromNow', since('plimsoll_task_created_timestamp_seconds')),
    started: column('Started', 'dateTimeFromNow', since('plimsoll_task_start_time_seconds')),
  };
}
