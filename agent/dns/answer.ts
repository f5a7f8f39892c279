/** What the resolver answers to one question of one asker: records, "no such name", or "ask others". Pure. */
import type { Zone } from './zone.ts';

export interface Question {
  /** As it came, without a dot at the end. */
  readonly name: string;
  readonly type: string;
}

export type Answer =
  /** Known here: the addresses or the name; none for types the name has no record of. */
  | { readonly kind: 'known'; readonly addresses: readonly string[]; readonly pointer?: string | undefined }
  /** Not a name of the cluster: the resolvers to ask instead, the host's when there are none. */
  | { readonly kind: 'elsewhere'; readonly nameservers: readonly string[] }
  /** The asker may not know: nobody we serve, or confined to its networks. */
  | { readonly kind: 'refused' };

const REVERSE = '.in-addr.arpa';

/** Names count without regard to case; a name of the cluster is never looked up elsewhere, whatever type is asked for. */
export function answerOf(zone: Zone, asker: string, { name, type }: Question): Answer {
  const who = zone.askers[asker];
  if (who === undefined) return { kind: 'refused' };
  const lower = name.toLowerCase();
  const found = lower.endsWith(REVERSE) ? pointerOf(zone, who.networks, lower) : addressesOf(zone, who.networks, lower);
  if (found === undefined)
    return who.confined ? { kind: 'refused' } : { kind: 'elsewhere', nameservers: who.nameservers };
  if (typeof found === 'string') return { kind: 'known', addresses: [], ...(type === 'PTR' && { pointer: found }) };
  return { kind: 'known', addresses: type === 'A' ? found : [] };
}

/** Of the first of the asker's networks that knows the name. */
function addressesOf(zone: Zone, networks: readonly string[], name: string): readonly string[] | undefined {
  const knowing = networks.find((id) => Object.hasOwn(zone.networks[id] ?? {}, name));
  return knowing === undefined ? undefined : zone.networks[knowing]?.[name];
}

function pointerOf(zone: Zone, networks: readonly string[], name: string): string | undefined {
  const address = name.slice(0, -REVERSE.length).split('.').reverse().join('.');
  const knowing = networks.find((id) => Object.hasOwn(zone.reverse[id] ?? {}, address));
  return knowing === undefined ? undefined : zone.reverse[knowing]?.[address];
}
