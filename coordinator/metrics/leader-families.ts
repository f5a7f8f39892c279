/** Who leads, as this coordinator sees it. */
import { labelText } from '../../runtime/label-text.ts';
import { type StateFamily } from './state-family.ts';

export const leaderFamilies: readonly StateFamily[] = [
  {
    name: 'plimsoll_leader',
    type: 'gauge',
    help: 'Always 1; the coordinator that leads. Absent while nobody does.',
    samples: ({ leader, nodeNames }) => {
      if (!leader) return [];
      const node = nodeNames.get(leader.nodeId) ?? leader.nodeId;
      return [{ labels: labelText({ coordinator_id: leader.coordinatorId, node, node_id: leader.nodeId }), value: 1 }];
    },
  },
  {
    name: 'plimsoll_leader_epoch',
    type: 'gauge',
    help: 'Number of the current lease: grows with each change of leader. Absent while nobody leads.',
    samples: ({ leader }) => (leader ? [{ labels: '', value: leader.epoch }] : []),
  },
];
