/** Access to hosts is the operator's to give: labels that ask for it are refused unless the policy allows them. Pure. */
import { accessLabel, type HostAccess, hostAccesses } from '../../model/host-access.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { PlimsollError } from '../../runtime/errors.ts';

/** Throws `refused`, naming the label and how it is allowed. */
export function checkHostAccess({ Labels = {} }: ServiceSpec, allowed: ReadonlySet<HostAccess> = new Set()): void {
  for (const access of hostAccesses) {
    const label = accessLabel(access);
    if (!Object.hasOwn(Labels, label) || allowed.has(access)) continue;
    throw new PlimsollError(
      'refused',
      `Labels: ${label} opens hosts to containers, which this cluster does not allow ` +
        `(allowed: ${[...allowed].join(', ') || 'nothing'}). Its operator may: plim coordinator --allow ${access}`,
    );
  }
}
