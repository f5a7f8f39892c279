import { expect, it } from 'vitest';
import { formatPlacement } from '../../../cli/placement-text.ts';
import type { NodeVerdict } from '../../../model/placement-table.ts';

const score = { failing: 0, copies: 1, busy: 0, tasks: 4, reservedTenths: 3, lacksImage: 1 };
const question = 'where one more task of web would go now';

function fitting(node: string): NodeVerdict {
  return { nodeId: 'a'.repeat(25), node, score };
}

it('formatPlacement() shows numbers of nodes that would do, and the objections of the others', () => {
  const nodes = [fitting('h1'), { nodeId: 'b'.repeat(25), node: 'h2', objection: 'drained' }];

  const [head, , ...table] = formatPlacement({ question, order: 'lower is better', nodes }).split('\n');

  expect(head).toBe('Where one more task of web would go now (lower is better):');
  expect(table.map((line) => line.split(/ {2,}/))).toEqual([
    ['NODE', 'FAILS', 'COPIES', 'BUSY', 'TASKS', 'RESERVED', 'IMAGE', 'WHY NOT'],
    ['h1', 'no', '1', '0', '4', '3/10', 'lacks it'],
    ['h2', '-', '-', '-', '-', '-', '-', 'drained'],
    [''],
  ]);
});

it('formatPlacement() shows the first nodes of a large cluster and says that there are more', () => {
  const nodes = Array.from({ length: 23 }, (_, index) => fitting(`h${index}`));

  const lines = formatPlacement({ question, order: 'lower is better', nodes }).trimEnd().split('\n');

  expect(lines).toHaveLength(24);
  expect(lines.at(-1)).toBe('and 3 more; --format json has them all');
});
