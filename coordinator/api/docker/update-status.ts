/** UpdateStatus of a service: how far its roll-out is, in Swarm's words. Pure. */
import { isJob } from '../../../model/jobs.ts';
import type { RolloutRecord } from '../../../model/rollout-record.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { isoTime } from './dates.ts';

export interface UpdateStatus {
  readonly State: RolloutRecord['state'];
  readonly StartedAt: string;
  readonly CompletedAt?: string | undefined;
  readonly Message: string;
}

/**
 * What the leader wrote about the current revision. A write that changed the tasks shows `updating` at once, before the
 * leader has looked: clients would take an old `completed` for the new one. A later write that changed no task (a scale)
 * clears a finished status, as in Swarm.
 */
export function updateStatus(record: ServiceRecord, rollout: RolloutRecord | undefined): UpdateStatus | undefined {
  if (isJob(record.spec)) return undefined;
  if (rollout?.revision !== record.revision) return justBegun(record);
  if (rollout.completedAtMs !== undefined && rollout.completedAtMs < record.updatedAtMs) return undefined;
  return {
    State: rollout.state,
    StartedAt: isoTime(rollout.startedAtMs),
    CompletedAt: rollout.completedAtMs === undefined ? undefined : isoTime(rollout.completedAtMs),
    Message: rollout.message,
  };
}

function justBegun(record: ServiceRecord): UpdateStatus | undefined {
  const current = record.revisions.find((revision) => revision.number === record.revision);
  if (record.change === 'create' || current?.createdAtMs !== record.updatedAtMs) return undefined;
  const StartedAt = isoTime(record.updatedAtMs);
  return record.change === 'rollback'
    ? { State: 'rollback_started', StartedAt, Message: 'manually requested rollback' }
    : { State: 'updating', StartedAt, Message: 'update in progress' };
}
