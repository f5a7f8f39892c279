/** Who leads, as this coordinator sees it. */
import { type GaugeFamily, gaugeFamily } from './gauge-family.ts';

export const leaderFamilies: readonly GaugeFamily[] = [
  gaugeFamily({
    name: 'plimsoll_leader',
    help: 'Always 1; the coordinator that leads. Absent while nobody does.',
    labelNames: ['coordinator_id', 'node', 'node_id'],
    samples: ({ leader, nodeNames }) => {
      if (!leader) return [];
      const node = nodeNames.get(leader.nodeId) ?? leader.nodeId;
      return [{ labels: { coordinator_id: leader.coordinatorId, node, node_id: leader.nodeId }, value: 1 }];
    },
  }),
  gaugeFamily({
    name: 'plimsoll_leader_epoch',
    help: 'Number of the current lease: grows with each change of leader. Absent while nobody leads.',
    labelNames: [],
    samples: ({ leader }) => (leader ? [{ labels: {}, value: leader.epoch }] : []),
  }),
];
