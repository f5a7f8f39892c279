/** The last update that changed what a service's tasks run: a restart is an update too, and changes nothing of that. Pure. */
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { Revision, ServiceRecord } from '../../model/service-record.ts';
import { sameValue } from '../plan/same-value.ts';

export interface LastUpdate {
  /** Number of the revision before it. */
  readonly before: number;
  readonly beganAtMs: number;
  /** The service was restarted since: what stood before its last update runs the same. */
  readonly isRestarted: boolean;
}

/** Undefined where none of the revisions that are kept runs anything else. */
export function lastUpdate(
  { revision, revisions }: Pick<ServiceRecord, 'revision' | 'revisions'>,
  { startedAtMs }: Pick<RolloutRecord, 'startedAtMs'>,
): LastUpdate | undefined {
  const current = revisions.find(({ number }) => number === revision);
  if (current === undefined) return undefined;
  const before = revisions.findLast((each) => !runsTheSame(each, current));
  if (before === undefined) return undefined;
  const since = revisions.filter((each) => each.number > before.number && runsTheSame(each, current));
  const isRestarted = since.length > 1;
  const beganAtMs = isRestarted ? Math.min(...since.map(({ createdAtMs }) => createdAtMs)) : startedAtMs;
  return { before: before.number, beganAtMs, isRestarted };
}

function runsTheSame(left: Revision, right: Revision): boolean {
  const withoutCounter = ({ taskTemplate: { ForceUpdate: _, ...template }, endpointSpec }: Revision) => [
    template,
    endpointSpec,
  ];
  return sameValue(withoutCounter(left), withoutCounter(right));
}
