/** What alerts lead to as entries of the event stream. Pure. */
import type { AlertState } from '../../model/alert-record.ts';
import type { ClusterEvent } from '../../model/messages.ts';
import type { ServiceRecord } from '../../model/service-record.ts';

/** `outcome`: firing, resolved, done, refused. */
export function alertEvent(
  { id, spec }: ServiceRecord,
  alert: Pick<AlertState, 'name' | 'fingerprint' | 'action' | 'startsAtMs' | 'replicas'>,
  outcome: string,
  reason: string,
  atMs: number,
): ClusterEvent {
  const attributes = {
    name: spec.Name,
    'alert.name': alert.name,
    'alert.fingerprint': alert.fingerprint,
    'alert.startsAt': new Date(alert.startsAtMs).toISOString(),
    'alert.action': alert.action,
    'alert.outcome': outcome,
    ...(alert.replicas === undefined ? {} : { 'alert.replicas': String(alert.replicas) }),
    reason,
  };
  return { kind: 'service', id, action: 'alert', attributes, atMs };
}
