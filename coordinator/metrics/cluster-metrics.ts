/**
 * The cluster's state in kube-state-metrics' style: identity on every series, everything else on `_info`, computed
 * from the coordinator's snapshot at each scrape. Every coordinator shows the same.
 */
import type { Metrics } from '../../runtime/metrics.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { type ClusterView, viewCluster } from './cluster-view.ts';
import { registerGaugeFamily } from './gauge-family.ts';
import { leaderFamilies } from './leader-families.ts';
import { nodeFamilies } from './node-families.ts';
import { serviceFamilies } from './service-families.ts';
import { taskFamilies } from './task-families.ts';

/** Puts all cluster metrics on the registry. `getSnapshot` is called at each scrape. */
export function registerClusterMetrics(registry: Metrics, getSnapshot: () => Snapshot): void {
  const currentView = rememberingView(getSnapshot);
  for (const family of [...serviceFamilies, ...taskFamilies, ...nodeFamilies, ...leaderFamilies]) {
    registerGaugeFamily(registry, family, currentView);
  }
}

/** Snapshots are immutable: all families of a scrape share the view of the same one. */
function rememberingView(getSnapshot: () => Snapshot): () => ClusterView {
  let last: { readonly snapshot: Snapshot; readonly view: ClusterView } | undefined;
  return () => {
    const snapshot = getSnapshot();
    if (last?.snapshot !== snapshot) last = { snapshot, view: viewCluster(snapshot) };
    return last.view;
  };
}
