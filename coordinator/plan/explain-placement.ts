/** Why a task of a service would go where it would go: every node, what it says no to, or the score it has. Pure. */
import type { ServiceRecord } from '../../model/records.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Moment } from './actions.ts';
import { type Candidate, compareCandidates } from './candidate-heap.ts';
import { ClusterIndex } from './cluster-index.ts';
import { nodeFilters, roomFilters } from './filters.ts';
import { candidateOf, rate } from './selection.ts';
import { wantsOf } from './vacancies.ts';

export interface NodeVerdict {
  readonly nodeId: string;
  readonly node: string;
  /** Why not, with its numbers; undefined for a node that would do. */
  readonly objection: string | undefined;
  /** Of a node that would do: the first number that differs from another's decides, lower is better. */
  readonly score: Pick<Candidate, 'copies' | 'busy' | 'tasks' | 'reservedTenths' | 'lacksImage'> | undefined;
}

/** The nodes as one more task of the service would find them now, the best first, those that say no last. */
export function explainPlacement(snapshot: Snapshot, service: ServiceRecord, now: Moment): NodeVerdict[] {
  const index = new ClusterIndex();
  index.update(snapshot, now);
  const { board, occupancy } = index;
  const wants = wantsOf(service, index.kinship.of(service, occupancy));
  const question = { board, occupancy, wants, filters: [], failing: new Set<string>() };
  const filters = [...nodeFilters, ...roomFilters];
  const found = board.nodes.map((at) => {
    const refusing = filters.find((filter) => !filter.allows(at.node, at.use, wants));
    const candidate = candidateOf(at);
    rate(at, question, candidate);
    return { candidate, objection: refusing?.objection(at.node, at.use, wants) };
  });
  found.sort(
    (a, b) =>
      Number(a.objection !== undefined) - Number(b.objection !== undefined) ||
      compareCandidates(a.candidate, b.candidate),
  );
  return found.map(({ candidate, objection }) => {
    const { copies, busy, tasks, reservedTenths, lacksImage, at } = candidate;
    const score = objection === undefined ? { copies, busy, tasks, reservedTenths, lacksImage } : undefined;
    return { nodeId: at.node.id, node: at.node.name, objection, score };
  });
}
