/** The coordinator's `/metrics`: what it counts of its own work, then the cluster's state. */
import { setImmediate } from 'node:timers/promises';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { type PlannedVersions, statePage } from './state-page.ts';

export interface MetricsPageParts {
  readonly metrics: Metrics;
  snapshot(): Snapshot;
  readonly plannedVersion: PlannedVersions;
}

/** In pieces, each made when the one before was taken; others have their turn in between. */
export async function* metricsPage(parts: MetricsPageParts): AsyncGenerator<string> {
  yield await parts.metrics.metrics();
  yield* statePage(parts.snapshot(), parts.plannedVersion, () => setImmediate());
}
