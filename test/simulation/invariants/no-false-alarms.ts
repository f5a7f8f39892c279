/** A node is taken for lost only when something is wrong with it. */
import { everywhere, records } from '../befall.ts';
import type { InvariantMaker } from './invariant.ts';

const EXPLAINED_MS = 30_000;

export const noFalseAlarms: InvariantMaker = ({ world }) => ({
  name: 'no false alarms',
  eachSecond: () => {
    const leader = world.hosts.find(({ core, coordinator }) => core?.isLeading() && !coordinator?.isFrozen);
    if (!leader?.core) return undefined;
    const sinceMs = world.time.nowMs - EXPLAINED_MS;
    for (const { name, nodeId } of world.hosts) {
      const state = leader.core.store.snapshot().liveness.get(nodeId)?.state;
      if (state !== 'lost') continue;
      if (!world.disturbances.since(sinceMs, name, leader.name, everywhere, records))
        return `${leader.name} takes ${name} for lost, which is well`;
    }
    return undefined;
  },
});
