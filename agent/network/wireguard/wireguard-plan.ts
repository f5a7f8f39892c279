/**
 * A host's WireGuard device: its settings as `wg syncconf` reads them, and the routes into it as lines for `ip -batch`. What
 * goes to an encrypted network's range on another node is led by the main table; what one of its addresses here sends to any
 * range there, as an answer to a task on two networks, by a rule for the sender and a table of its own. Pure.
 */
import { z } from 'zod';
import type { EncryptionPlan } from './plan-encryption.ts';
import { WIREGUARD_DEVICE, WIREGUARD_PORT } from './wireguard-names.ts';

export interface WireguardWish extends Pick<EncryptionPlan, 'ownSubnets' | 'peers'> {
  readonly mtuBytes: number;
}

/** Behind the mesh's rules (4242), whose marked packets go their own way, and before the table `main` (32766). */
const RULE_PRIORITY = 4_243;
const SENDERS_TABLE = 4_243;
/** Without one the kernel takes only packets whose sender the device leads to; see mesh/peer-routes.ts. */
const DEVICE_ADDRESS = '169.254.42.43/32';

/** Replies of `ip -json`. */
const RuleReply = z.array(z.object({ priority: z.int(), src: z.string(), srclen: z.int().optional() }));
const RouteReply = z.array(z.object({ dst: z.string(), table: z.coerce.string().optional() }));

export interface WireguardListing {
  /** Of every table, for our device. */
  readonly routes: string;
  readonly rules: string;
}

export interface WireguardChange {
  /** Before other routes to the same ranges are taken away. */
  readonly add: readonly string[];
  /** After others have been put in their place. */
  readonly remove: readonly string[];
}

/** The private key is in it. */
export function wireguardSettings(privateKey: string, peers: WireguardWish['peers']): string {
  const sections = peers.map(
    ({ publicKey, address, allSubnets }) =>
      `[Peer]\nPublicKey = ${publicKey}\nEndpoint = ${address}:${WIREGUARD_PORT}\nAllowedIPs = ${allSubnets.join(', ')}\n`,
  );
  return [`[Interface]\nPrivateKey = ${privateKey}\nListenPort = ${WIREGUARD_PORT}\n`, ...sections].join('\n');
}

/** `wish` undefined: whatever is there is to go. */
export function planWireguard(wish: WireguardWish | undefined, listing: WireguardListing): WireguardChange {
  const routes = routeChanges(wish?.peers ?? [], parsed(RouteReply, listing.routes));
  const rules = ruleChanges(wish?.ownSubnets ?? [], parsed(RuleReply, listing.rules));
  const device = wish
    ? [
        `link set dev ${WIREGUARD_DEVICE} mtu ${wish.mtuBytes} up`,
        `address replace ${DEVICE_ADDRESS} dev ${WIREGUARD_DEVICE} scope host`,
      ]
    : [];
  return { add: [...device, ...routes.add, ...rules.add], remove: [...rules.remove, ...routes.remove] };
}

function routeChanges(peers: WireguardWish['peers'], listed: z.infer<typeof RouteReply>) {
  const inMain = peers.flatMap(({ subnets }) => subnets.map((subnet) => `${subnet} table main`));
  const ofSenders = peers.flatMap(({ allSubnets }) => allSubnets.map((subnet) => `${subnet} table ${SENDERS_TABLE}`));
  const wanted = new Set([...inMain, ...ofSenders]);
  const there = new Set(listed.map(({ dst, table = 'main' }) => `${dst} table ${table}`).filter(isOurs));
  return {
    add: [...wanted].filter((route) => !there.has(route)).map((route) => onDevice('replace', route)),
    remove: [...there].filter((route) => !wanted.has(route)).map((route) => onDevice('delete', route)),
  };
}

/** The kernel itself keeps routes of the device's address in its table `local`. */
function isOurs(route: string): boolean {
  return route.endsWith(' table main') || route.endsWith(` table ${SENDERS_TABLE}`);
}

function onDevice(verb: 'replace' | 'delete', route: string): string {
  const [subnet, ...table] = route.split(' ');
  return `route ${verb} ${subnet} dev ${WIREGUARD_DEVICE} ${table.join(' ')}`;
}

function ruleChanges(ownSubnets: readonly string[], listed: z.infer<typeof RuleReply>) {
  const ours = listed.filter(({ priority }) => priority === RULE_PRIORITY);
  const there = new Set(ours.map(({ src, srclen }) => (srclen === undefined ? src : `${src}/${srclen}`)));
  const wanted = new Set(ownSubnets);
  const rule = (verb: 'add' | 'delete', subnet: string) =>
    `rule ${verb} priority ${RULE_PRIORITY} from ${subnet} lookup ${SENDERS_TABLE}`;
  return {
    add: [...wanted].filter((subnet) => !there.has(subnet)).map((subnet) => rule('add', subnet)),
    remove: [...there].filter((subnet) => !wanted.has(subnet)).map((subnet) => rule('delete', subnet)),
  };
}

/** iproute2 prints nothing at all for an empty list. */
function parsed<T>(schema: z.ZodType<T[]>, listing: string): T[] {
  return listing.trim() === '' ? [] : schema.parse(JSON.parse(listing));
}
