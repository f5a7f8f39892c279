/** An event as `docker events` shows it, and which events a client asked for. Pure. */
import type { ClusterEvent } from '../../../model/messages.ts';
import { type Filters, passes, passesLabels } from './filters.ts';

/** Kinds Docker has no word for: shown only to who asks for them by type. */
const kindsOfOurOwn: readonly ClusterEvent['kind'][] = ['task', 'cluster'];
export const objectKinds = ['container', 'service', 'node', 'secret', 'config', 'network', 'volume', 'image', 'daemon'];
export const eventFilterKeys = ['type', 'scope', 'event', 'label', 'plugin', ...objectKinds];

export function eventView(event: ClusterEvent): object {
  const { kind, id, action, attributes, atMs } = event;
  return {
    // Fields of old clients, which know containers only.
    ...(kind === 'container' && { status: action, id, from: attributes.image ?? '' }),
    Type: kind,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: scopeOf(event),
    time: Math.floor(atMs / 1000),
    timeNano: Math.floor(atMs) * 1_000_000,
  };
}

export function isEventWanted(event: ClusterEvent, filters: Filters): boolean {
  const { kind, id, action, attributes } = event;
  const isThis = (reference: string) => id.startsWith(reference) || attributes.name === reference;
  const askedKinds = objectKinds.filter((asked) => filters.get(asked)?.length);
  return (
    (filters.has('type') || !kindsOfOurOwn.includes(kind)) &&
    passes(filters, 'type', (type) => type === kind) &&
    passes(filters, 'scope', (scope) => scope === scopeOf(event)) &&
    passes(filters, 'event', (wanted) => wanted === action || action.startsWith(`${wanted}:`)) &&
    passesLabels(filters, 'label', attributes) &&
    (askedKinds.length === 0 || (askedKinds.includes(kind) && passes(filters, kind, isThis)))
  );
}

const scopeOf = (event: ClusterEvent): string => (event.kind === 'container' ? 'local' : 'swarm');
