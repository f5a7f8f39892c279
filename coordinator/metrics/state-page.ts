/**
 * The cluster's state as Prometheus text, in kube-state-metrics' style: identity on every series, everything else on
 * `_info`, one 0/1 series per value of a state. Every coordinator shows the same.
 *
 * Written piece by piece with the event loop let through in between: a thousand tasks are some fifteen thousand lines,
 * and a page made in one go would hold up beats and the lease for as long as it takes.
 */
import type { Snapshot } from '../store/snapshot.ts';
import { autoscaleFamilies } from './autoscale-families.ts';
import { viewCluster } from './cluster-view.ts';
import { leaderFamilies } from './leader-families.ts';
import { nodeFamilies } from './node-families.ts';
import { serviceFamilies } from './service-families.ts';
import type { StateFamily, StateSample } from './state-family.ts';
import { taskFamilies } from './task-families.ts';

/** Lines written before others get their turn: less than a millisecond's work. */
const LINES_PER_PIECE = 500;

export const stateFamilies: readonly StateFamily[] = [
  ...serviceFamilies,
  ...autoscaleFamilies,
  ...taskFamilies,
  ...nodeFamilies,
  ...leaderFamilies,
];

/** Version of the service record the leader last planned from; undefined where this coordinator does not lead. */
export type PlannedVersions = (serviceId: string) => number | undefined;

/** The page in pieces. `pause` resolves when others had their turn. */
export async function* statePage(
  snapshot: Snapshot,
  plannedVersion: PlannedVersions,
  pause: () => Promise<void>,
): AsyncGenerator<string> {
  const view = viewCluster(snapshot, plannedVersion);
  await pause();
  let piece: string[] = [];
  for (const family of stateFamilies) {
    piece.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`);
    for (const sample of family.samples(view)) {
      piece.push(sampleLine(family.name, sample));
      if (piece.length < LINES_PER_PIECE) continue;
      yield `${piece.join('\n')}\n`;
      piece = [];
      await pause();
    }
  }
  yield `${piece.join('\n')}\n`;
}

function sampleLine(name: string, { labels, value }: StateSample): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`;
}
