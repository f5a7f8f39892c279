/** How placement sees the nodes, as text. Pure. */
import type { NodeVerdict, PlacementTable } from '../model/placement-table.ts';
import { formatTable } from './table.ts';

const MOST_ROWS = 20;
const headings = ['NODE', 'FAILS', 'COPIES', 'BUSY', 'TASKS', 'RESERVED', 'IMAGE', 'WHY NOT'];

/** Of a large cluster only the first nodes. */
export function formatPlacement({ question, order, nodes }: PlacementTable): string {
  const head = `${question.charAt(0).toUpperCase()}${question.slice(1)} (${order}):\n`;
  const table = formatTable(headings, nodes.slice(0, MOST_ROWS).map(rowOf));
  const left = nodes.length - MOST_ROWS;
  return `${head}\n${table}${left > 0 ? `and ${left} more; --format json has them all\n` : ''}`;
}

function rowOf({ node, score, objection = '' }: NodeVerdict): string[] {
  if (!score) return [node, ...headings.slice(2).map(() => '-'), objection];
  const { failing, copies, busy, tasks, reservedTenths, lacksImage } = score;
  const numbers = [copies, busy, tasks].map(String);
  return [node, failing ? 'yes' : 'no', ...numbers, `${reservedTenths}/10`, lacksImage ? 'lacks it' : 'has it', ''];
}
