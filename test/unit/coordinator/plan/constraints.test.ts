import { expect, test } from 'vitest';
import { type ConstrainedNode, meets, parseConstraint } from '../../../../coordinator/plan/constraints.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function aNode(): ConstrainedNode {
  const world = new PlanWorld();
  const id = world.addNode('h1', { labels: { disk: 'SSD' } });
  const { nodes, nodeSpecs } = world.tables;
  return { id, spec: nodeSpecs.get(id)?.value, record: nodes.get(id)?.value };
}

test.each([
  ['node.hostname == h1', true],
  ['node.hostname==H1', true],
  ['node.hostname != h1', false],
  ['NODE.HOSTNAME == h1', true],
  ['node.labels.disk == ssd', true],
  ['node.labels.DISK == ssd', false],
  ['node.labels.absent != x', true],
  ['node.labels.absent == x', false],
  ['node.role == worker', true],
  ['node.platform.os == linux', true],
  ['node.platform.arch == amd64', true],
  ['node.platform.arch != amd64', false],
  ['node.ip == 10.0.0.1', true],
  ['node.ip == 10.0.0.0/24', true],
  ['node.ip != 10.0.0.0/24', false],
  ['node.ip == 10.1.0.0/16', false],
  ['engine.labels.gpu == yes', false],
  ['node.unheard == of', false],
  ['node.unheard != of', false],
] as const)('%s on the node: %s', (text, expected) => {
  const constraint = parseConstraint(text);

  expect(typeof constraint === 'object' && meets(aNode(), constraint)).toBe(expected);
});

test.each([
  ['node.role', 'constraint expected one operator from ==, !='],
  ['== x', "key '' is invalid"],
  ['node.labels.a/b == x', "key 'node.labels.a/b' is invalid"],
  ['node.role ==', "value '' is invalid"],
  ['node.role == a;b', "value 'a;b' is invalid"],
])('parseConstraint() refuses %s', (text, problem) => {
  expect(parseConstraint(text)).toBe(problem);
});
