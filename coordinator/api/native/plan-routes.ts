/** `/v1/plan`: what a change would do, without doing it. */
import express, { type Express } from 'express';
import { z } from 'zod';
import { StackWish } from '../../../model/stack-plan.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { planStack } from '../../what-if/stack-plan.ts';

export interface PlanRouteParts {
  readonly snapshot: () => Snapshot;
  readonly clock: Pick<Clock, 'wallMs' | 'elapsedMs'>;
}

const BODY_LIMIT = '4mb';

/** `requireReady` throws while this coordinator cannot serve. */
export function addPlanRoutes(app: Express, { snapshot, clock }: PlanRouteParts, requireReady: () => void): void {
  app.post('/v1/plan', express.json({ limit: BODY_LIMIT }), (request, response) => {
    requireReady();
    const wish = StackWish.safeParse(request.body);
    if (!wish.success) throw new PlimsollError('invalid', z.prettifyError(wish.error));
    response.json(planStack(snapshot(), wish.data, { wallMs: clock.wallMs(), elapsedMs: clock.elapsedMs() }));
  });
}
