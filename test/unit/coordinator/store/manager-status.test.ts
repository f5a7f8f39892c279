import { expect, test } from 'vitest';
import { managerStatusOf } from '../../../../coordinator/store/manager-status.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

/** What is said of a node that does or does not run a coordinator, heard or not, leading or not. */
function statusOf(manager: boolean, options: { readonly heard?: boolean; readonly leads?: boolean } = {}) {
  const world = new PlanWorld();
  const nodeId = world.addNode('h1');
  const snapshot = world.snapshot();
  const [node, spec] = [snapshot.nodes.get(nodeId), snapshot.nodeSpecs.get(nodeId)?.value];
  if (!node || !spec) throw new Error('The world has no such node');
  const known = {
    ...snapshot,
    nodes: new Map([[nodeId, { ...node, value: { ...node.value, manager } }]]),
    coordinatorNodes: new Set(options.heard ? [nodeId] : []),
    leader: options.leads ? { coordinatorId: 'c1', nodeId, epoch: 1 } : undefined,
  };
  return managerStatusOf(known, spec);
}

test.each([
  ['a node without a coordinator', statusOf(false), undefined],
  ['the leader, whose lease is proof enough', statusOf(true, { leads: true }), 'leader'],
  ['a coordinator that is heard', statusOf(true, { heard: true }), 'reachable'],
  ['a coordinator that is away, though its node is well', statusOf(true), 'unreachable'],
])('managerStatusOf() %s', (_what, found, wanted) => {
  expect(found).toBe(wanted);
});
