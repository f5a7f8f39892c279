import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../coordinator/plan/actions.ts';
import { withNodeLabels } from '../../../../coordinator/plan/node-labels.ts';
import { aTask, type TaskWords } from '../../../support/tasks.ts';

const making = (words: TaskWords): Plan => {
  const record = aTask(words);
  return {
    chains: [[{ kind: 'create-task', key: 'n.t', record, reason: 'because' }]],
    failures: [],
    tables: new Map(),
    nextAtMs: undefined,
  };
};
const labelsOf = () => ({ zone: 'east' });

describe('withNodeLabels()', () => {
  it.each<[string, TaskWords['container']]>([
    ['the environment', { Env: ['ZONE={{.Node.Labels.zone}}'] }],
    ['the hostname', { Hostname: '{{index .Node.Labels "zone"}}' }],
    ['a mount', { Mounts: [{ Type: 'volume', Source: 'data-{{.Node.Labels.zone}}', Target: '/data' }] }],
  ])('gives a new task the labels of its node where %s uses them', (_place, container = {}) => {
    const [[action] = []] = withNodeLabels(making({ container }), labelsOf).chains;

    expect(action).toMatchObject({ record: { nodeLabels: { zone: 'east' } } });
  });

  it('leaves every other plan as it is', () => {
    const plan = making({ container: { Env: ['A={{.Node.Hostname}}', 'B=.Node.Labels'] } });

    expect(withNodeLabels(plan, labelsOf).chains[0]?.[0]).not.toHaveProperty('record.nodeLabels');
  });
});
