/** For which tasks a node is handed what is not in their assignments: contents and credentials. Pure. */
import type { TaskRecord } from '../../model/task-record.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Snapshot } from '../store/snapshot.ts';

/**
 * A node's task that is to run and was given to it. Throws `unavailable` while this coordinator does not know it (its copy
 * of the state may lag) or it ends, `refused` when it is another node's or stands on the node's own word: who runs a task
 * has its files already, and who only says so must not get them.
 */
export function taskGivenTo(nodeId: string, taskId: string, { tasks }: Pick<Snapshot, 'tasks'>): TaskRecord {
  const task = tasks.get(taskId)?.value;
  if (task === undefined) throw new PlimsollError('unavailable', `Task ${taskId} is not known here yet: ask again`);
  if (task.nodeId !== nodeId) throw new PlimsollError('refused', `Task ${taskId} is not on node ${nodeId}`);
  if (task.claimed) {
    const why = 'was assigned because the node said it ran it: it must have kept what the task needs';
    throw new PlimsollError('refused', `Task ${taskId} ${why}. Update or restart the service to have it placed anew`);
  }
  if (task.desired === 'stopped') throw new PlimsollError('unavailable', `Task ${taskId} is to stop`);
  return task;
}
