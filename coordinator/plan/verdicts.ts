/** What placement says of nodes, one by one: no and why, or the numbers they are compared by. Pure. */
import type { NodeVerdict } from '../../model/placement-table.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import { compareCandidates } from './candidate-heap.ts';
import { nodeFilters, roomFilters } from './filters.ts';
import type { BoardNode } from './node-board.ts';
import { candidateOf, type Question, rate } from './selection.ts';

/** The best first, those that say no last. */
export function verdictsOf(nodes: readonly BoardNode[], question: Question): NodeVerdict[] {
  const filters = [...nodeFilters, ...roomFilters];
  const found = nodes.map((at) => {
    const refusing = filters.find((filter) => !filter.allows(at.node, at.use, question.wants));
    const candidate = candidateOf(at);
    rate(at, question, candidate);
    return { candidate, objection: refusing?.objection(at.node, at.use, question.wants) };
  });
  found.sort(
    (a, b) =>
      Number(a.objection !== undefined) - Number(b.objection !== undefined) ||
      compareCandidates(a.candidate, b.candidate),
  );
  return found.map(({ candidate, objection }) => {
    const { failing, copies, busy, tasks, reservedTenths, lacksImage, at } = candidate;
    const verdict = { nodeId: at.node.id, node: at.node.name };
    if (objection !== undefined) return { ...verdict, objection };
    return { ...verdict, score: { failing, copies, busy, tasks, reservedTenths, lacksImage } };
  });
}

/** How nodes that would do are ordered, in words. */
export function orderOf({ spec }: ServiceRecord): string {
  const preferences = spec.TaskTemplate.Placement?.Preferences ?? [];
  const keys = preferences.flatMap(({ Spread }) => (Spread ? [Spread.SpreadDescriptor] : []));
  const numbers = 'the first column that differs decides, lower is better';
  return keys.length === 0 ? numbers : `${numbers}; the spread over ${keys.join(', ')} comes before COPIES`;
}
