/** Whether a service's new tasks start beside the old ones or in their place. Pure. */

import { updateRules } from '../../model/service-defaults.ts';
import { failoverPolicy, ON_DISCONNECT_LABEL } from '../../model/service-policy.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec, UpdateConfig } from '../../model/service-spec.ts';

/** The knobs that hold for how the current revision came to be. */
export function updateConfigOf({ change, spec }: Pick<ServiceRecord, 'change' | 'spec'>): UpdateConfig | undefined {
  return change === 'rollback' ? spec.RollbackConfig : spec.UpdateConfig;
}

/**
 * True when a task that replaces others starts beside them. A `move` to another node (a drain) does so too where nobody
 * asked for an order: Docker's default is one for updates.
 */
export function startsFirst(service: Pick<ServiceRecord, 'change' | 'spec'>, isMove: boolean): boolean {
  if (whyNeverTwo(service.spec) !== undefined) return false;
  if (isMove && !service.spec.UpdateConfig?.Order) return true;
  return updateRules(updateConfigOf(service)).order === 'start-first';
}

/** Why no two tasks of a slot may run at once, whatever order the service asks for; undefined when they may. */
export function whyNeverTwo({ Labels, TaskTemplate }: ServiceSpec): string | undefined {
  const mounts = TaskTemplate.ContainerSpec.Mounts ?? [];
  const written = mounts.find((mount) => mount.Type === 'volume' && mount.Source && !mount.ReadOnly);
  // Two writers of one volume are worse than a gap.
  if (written) return `it writes to the volume ${written.Source}`;
  return failoverPolicy(Labels).onDisconnect === 'stop' ? `${ON_DISCONNECT_LABEL}=stop never runs two` : undefined;
}

/** What a user who asked for start-first should know of what becomes of it. */
export function orderWarnings(spec: ServiceSpec): string[] {
  const configs = { UpdateConfig: spec.UpdateConfig, RollbackConfig: spec.RollbackConfig };
  return Object.entries(configs).flatMap(([name, config]) => {
    if (config?.Order !== 'start-first') return [];
    const reason = whyNeverTwo(spec);
    if (reason !== undefined) return [`${name}.Order: start-first is done as stop-first, because ${reason}`];
    const port = spec.EndpointSpec?.Ports?.find((each) => each.PublishMode === 'host' && each.PublishedPort);
    if (!port) return [];
    const where = `${port.PublishedPort}/${port.Protocol}`;
    return [`${name}.Order: start-first is done as stop-first where no other node has the host port ${where} free`];
  });
}
