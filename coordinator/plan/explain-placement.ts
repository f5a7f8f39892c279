/** Why a task of a service would go where it would go: every node, what it says no to, or the score it has. Pure. */
import type { NodeVerdict } from '../../model/placement-table.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Moment } from './actions.ts';
import { ClusterIndex } from './cluster-index.ts';
import { nodesFailing } from './recent-failures.ts';
import { surroundingsOf, wantsOf } from './vacancies.ts';
import { verdictsOf } from './verdicts.ts';

/** The nodes as one more task of the service would find them now, the best first, those that say no last. */
export function explainPlacement(snapshot: Snapshot, service: ServiceRecord, now: Moment): NodeVerdict[] {
  const index = new ClusterIndex();
  index.update(snapshot, now);
  const { board, occupancy } = index;
  const wants = wantsOf(service, surroundingsOf(service, index, 1));
  const failing = nodesFailing([pastOf(snapshot, service, index)], service.revision, now);
  const question = { board, occupancy, wants, filters: [], failing };
  return verdictsOf(board.nodes, question);
}

/** All slots of the service as one. */
function pastOf({ slots }: Snapshot, { id }: ServiceRecord, index: ClusterIndex) {
  const history = [...slots.values()].flatMap(({ value }) => (value.serviceId === id ? value.history : []));
  return { tasks: [...index.of(id).tasks.values()], current: { history } };
}
