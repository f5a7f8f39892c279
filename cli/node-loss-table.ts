/** The loss of a node that has not happened, as text. Pure. */
import type { NodeLoss } from '../model/node-loss.ts';
import { formatTable } from './table.ts';

/** "1 task", "3 tasks". */
export function taskCount(tasks: number): string {
  return `${tasks} task${tasks === 1 ? '' : 's'}`;
}

export function formatNodeLoss({ node, tasks, homeless }: NodeLoss): string {
  const head = `If ${node.name} were lost (${taskCount(tasks)} there, not counting global services):`;
  if (homeless.length === 0) return `${head} every task would find a place.\n`;
  const rows = homeless.map(({ service, slot, reason }) => [`${service}.${slot}`, reason]);
  return `${head} ${taskCount(homeless.length)} would find no place.\n\n${formatTable(['TASK', 'WHY'], rows)}`;
}
