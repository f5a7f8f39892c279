/** Tasks, as the coordinators tell of them, with the slot and the node that people know them by. */
import { max, of } from './promql.ts';

/** A series per task under `service`, `slot` and `node`; of tasks of one slot, such as in an update, the highest. */
export function placed(expr: string): string {
  const place = max('service, task, slot, node', of('plimsoll_task_info'));
  return max(
    'service, slot, node',
    `${max('service, task', expr)} * on (service, task) group_left (slot, node) ${place}`,
  );
}
