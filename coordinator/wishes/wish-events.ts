/** Tells the event stream what was wished; the wish itself is stored already, so a failure here is only logged. */
import type { ClusterEvent } from '../../model/messages.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { WishParts } from './wish-parts.ts';

export async function announce(
  parts: Pick<WishParts, 'bus' | 'clock' | 'log'>,
  kind: ClusterEvent['kind'],
  id: string,
  action: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const event: ClusterEvent = { kind, id, action, attributes: { ...attributes }, atMs: parts.clock.wallMs() };
  try {
    await parts.bus.publishDurably(`plim.event.${kind}.${id}`, event);
  } catch (error) {
    parts.log.warn({ kind, id, action, error: messageOf(error) }, 'could not publish an event of a stored wish');
  }
}
