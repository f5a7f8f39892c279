/** Whether a service's new tasks start beside the old ones or in their place. Pure. */
import type { ServiceRecord } from '../../model/records.ts';
import type { UpdateConfig } from '../../model/service-spec.ts';

/** The knobs that hold for how the current revision came to be. */
export function updateConfigOf({ change, spec }: ServiceRecord): UpdateConfig | undefined {
  return change === 'rollback' ? spec.RollbackConfig : spec.UpdateConfig;
}
