/** A decision of the autoscaler as an entry of the event stream, with what it was made from. Pure. */
import type { ClusterEvent } from '../../model/messages.ts';
import type { ScaleRecord } from '../../model/scale-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';

/** A change of the count is an update in Docker's words; what it would do, or cannot do, has a word of its own. */
export function scaleEvent(
  { id, spec }: ServiceRecord,
  scale: ScaleRecord,
  before: number,
  atMs: number,
): ClusterEvent {
  const { replicas, reason, condition = 'following', mode = 'on', readings = [] } = scale;
  const isChange = mode === 'on' && replicas !== before;
  const inputs = readings.map(({ source, words }) => [`autoscale.${source}`, words] as const);
  const attributes = {
    name: spec.Name,
    'replicas.old': String(before),
    'replicas.new': String(replicas),
    'autoscale.mode': mode,
    'autoscale.condition': condition,
    ...Object.fromEntries(inputs),
    reason,
  };
  return { kind: 'service', id, action: isChange ? 'update' : 'autoscale', attributes, atMs };
}
