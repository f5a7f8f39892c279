/** Parts of the product replaced by broken ones: every invariant must find one of them out, see mutants.test.ts. */
import type { AgentParts } from '../../../agent/agent-parts.ts';
import type { Engine } from '../../../agent/engine/engine.ts';
import type { Buckets } from '../../../bus/buckets.ts';
import type { Planner } from '../../../coordinator/plan/plan.ts';

export interface Mutations {
  readonly plan?: Planner;
  readonly planTask?: AgentParts['planTask'];
  /** The engine as agents call it. */
  readonly engine?: (engine: Engine) => Engine;
  /** Agents that beat for ten seconds only, on hosts that accept no connection. */
  readonly mute?: boolean;
  /** The buckets as coordinators write them. */
  readonly buckets?: (buckets: Buckets) => Buckets;
}
