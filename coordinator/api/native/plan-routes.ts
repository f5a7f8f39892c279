/** `/v1/plan`: what a change, or the loss of a node, would do, without doing it. */
import type { Express } from 'express';
import type { Bus } from '../../../bus/bus.ts';
import type { HostAccess } from '../../../model/host-access.ts';
import { StackWish } from '../../../model/stack-plan.ts';
import { type Clock, nowOn } from '../../../runtime/clock.ts';
import type { Moment } from '../../plan/actions.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { imagineLoss } from '../../what-if/node-loss.ts';
import { planStack, portsWishesOf } from '../../what-if/stack-plan.ts';
import { askHeldPorts } from '../../wishes/held-ports.ts';
import { readJson } from '../docker/request-body.ts';
import { nodeByReference } from './node-reference.ts';

export interface PlanRouteParts {
  readonly bus: Pick<Bus, 'askNode'>;
  readonly snapshot: () => Snapshot;
  readonly clock: Pick<Clock, 'wallMs' | 'elapsedMs'>;
  /** What labels may open of hosts; absent: nothing. */
  readonly allowedHostAccess?: ReadonlySet<HostAccess>;
}

/** `requireReady` throws while this coordinator cannot serve. */
export function addPlanRoutes(app: Express, parts: PlanRouteParts, requireReady: () => void): void {
  const { snapshot, clock, allowedHostAccess } = parts;
  const now = (): Moment => nowOn(clock);
  app.post('/v1/plan', async (request, response) => {
    requireReady();
    const wish = await readJson(request, StackWish);
    const held = await askHeldPorts(portsWishesOf(snapshot(), wish), parts);
    response.json(planStack(snapshot(), wish, now(), { allowed: allowedHostAccess ?? new Set(), held }));
  });
  app.get('/v1/plan/loss/:node', (request, response) => {
    requireReady();
    const known = snapshot();
    response.json(imagineLoss(known, nodeByReference(known, request.params.node), now()));
  });
}
