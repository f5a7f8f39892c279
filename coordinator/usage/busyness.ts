/** How busy nodes are, for placement: in steps so coarse that a cluster at rest does not change its mind. Pure. */
import type { HeardUsage } from './usage-book.ts';

/** From these shares of its processors or memory on, a node is taken later for new tasks. */
const BUSY_SHARES = [0.8, 0.95];
/** Once busy it stays so until it is this much below. */
const SLACK = 0.1;

/** 0 for a node with room, 1 for a busy one, 2 for a full one; nodes that are not busy are left out. */
export function busyness(
  heard: ReadonlyMap<string, HeardUsage>,
  before: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const busy = new Map<string, number>();
  for (const [nodeId, { usage }] of heard) {
    const processors = usage.cpuTotalCores > 0 ? (usage.cpuCores ?? 0) / usage.cpuTotalCores : 0;
    const memory = usage.memoryTotalBytes > 0 ? usage.memoryBytes / usage.memoryTotalBytes : 0;
    const step = stepOf(Math.max(processors, memory), before.get(nodeId) ?? 0);
    if (step > 0) busy.set(nodeId, step);
  }
  return busy;
}

function stepOf(share: number, before: number): number {
  return BUSY_SHARES.filter((limit, index) => share >= (before > index ? limit - SLACK : limit)).length;
}
