import { expect, it } from 'vitest';
import { formatNodeLoss } from '../../../cli/node-loss-table.ts';

const node = { id: 'a'.repeat(25), name: 'h3' };

it('formatNodeLoss() lists the tasks without a place and why, or says that there are none', () => {
  const homeless = [{ service: 'web', slot: 2, reason: 'no suitable node (the cluster has no nodes)' }];

  expect(formatNodeLoss({ node, tasks: 3, homeless }).split('\n')).toEqual([
    'If h3 were lost (3 tasks there, not counting global services): 1 task would find no place.',
    '',
    expect.stringMatching(/^TASK +WHY$/),
    expect.stringMatching(/^web\.2 +no suitable node \(the cluster has no nodes\)$/),
    '',
  ]);
  expect(formatNodeLoss({ node, tasks: 1, homeless: [] })).toBe(
    'If h3 were lost (1 task there, not counting global services): every task would find a place.\n',
  );
});
