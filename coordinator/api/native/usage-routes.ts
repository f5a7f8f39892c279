/** `/v1/usage/nodes`, `/v1/usage/services`, `/v1/usage/tasks`, `/v1/usage/calls`: what is used now, as nodes said in the last seconds. */
import type { Express } from 'express';
import type { Snapshot } from '../../store/snapshot.ts';
import type { UsageBook } from '../../usage/usage-book.ts';
import { callUsages, type FreshUsage, nodeUsages, serviceUsages, taskUsages } from './usage-view.ts';

export interface UsageRouteParts {
  snapshot(): Snapshot;
  readonly usage: Pick<UsageBook, 'fresh'>;
}

const views: Readonly<Record<string, (snapshot: Snapshot, fresh: FreshUsage) => object[]>> = {
  nodes: nodeUsages,
  services: serviceUsages,
  tasks: taskUsages,
  calls: callUsages,
};

/** `requireReady` throws while this coordinator does not know the cluster's state. */
export function addUsageRoutes(app: Express, parts: UsageRouteParts, requireReady: () => void): void {
  for (const [kind, view] of Object.entries(views)) {
    app.get(`/v1/usage/${kind}`, (_request, response) => {
      requireReady();
      response.json(view(parts.snapshot(), parts.usage.fresh()));
    });
  }
}
