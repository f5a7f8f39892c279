/**
 * Policy routes of the mesh: a packet whose mark names a node goes to it through the tunnel, whatever its address. That is
 * how connections reach a task's node under their client's address, and how replies find back to the node they came through.
 */
import { z } from 'zod';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';
import { VXLAN_DEVICE } from '../overlay/overlay-names.ts';
import { PACKET_MASK, packetMark } from './peer-numbers.ts';

/** A node and its number in marks. */
export interface NumberedPeer {
  readonly address: string;
  readonly number: number;
}

/** Before the table `main` (32766): all rules of it that look at the bits of our marks are ours. */
const RULE_PRIORITY = 4_242;
/** Table of the node with number n: this and n. */
const FIRST_TABLE = 4_242_000;

/**
 * A device without any address takes only packets whose sender it leads to (net/ipv4/fib_frontend.c), and clients are
 * elsewhere. This one is on every node, of the link-local range, and no packet ever has it.
 */
const TUNNEL_ADDRESS = '169.254.42.42/32';

/** Replies of `ip -json`; marks are told as text. */
const RuleReply = z.array(
  z.object({ priority: z.int(), fwmark: z.string().optional(), fwmask: z.string().optional() }),
);
const RouteReply = z.array(
  z.object({ dst: z.string(), gateway: z.string().optional(), table: z.coerce.string().optional() }),
);

export interface PolicyListing {
  readonly rules: string;
  readonly routes: string;
}

/**
 * Lines for `ip -batch` that bring the host's rules and routes to these peers: no rule leads into a table that is not there
 * yet, or no longer. Pure.
 */
export function planPeerRoutes(peers: readonly NumberedPeer[], listing: PolicyListing): string[] {
  const routes = routeChanges(peers, parsed(RouteReply, listing.routes));
  return [...routes.add, ...ruleChanges(peers, parsed(RuleReply, listing.rules)), ...routes.remove];
}

function ruleChanges(peers: readonly NumberedPeer[], listed: z.infer<typeof RuleReply>): string[] {
  const ours = listed.filter(
    ({ priority, fwmark, fwmask }) =>
      priority === RULE_PRIORITY && fwmark !== undefined && Number(fwmask) === PACKET_MASK,
  );
  const there = new Set(ours.map(({ fwmark }) => Number(fwmark)));
  const wanted = new Map(peers.map(({ number }) => [packetMark(number), number]));
  const gone = [...there].filter((mark) => !wanted.has(mark));
  const missing = [...wanted].filter(([mark]) => !there.has(mark));
  return [
    ...gone.map((mark) => `rule delete priority ${RULE_PRIORITY} fwmark ${masked(mark)}`),
    ...missing.map(
      ([mark, number]) => `rule add priority ${RULE_PRIORITY} fwmark ${masked(mark)} lookup ${FIRST_TABLE + number}`,
    ),
  ];
}

function routeChanges(peers: readonly NumberedPeer[], listed: z.infer<typeof RouteReply>) {
  const there = new Map(listed.map(({ table, gateway }) => [table ?? 'main', gateway]));
  const wanted = new Map(peers.map(({ number, address }) => [String(FIRST_TABLE + number), address]));
  const missing = [...wanted].filter(([table, address]) => there.get(table) !== address);
  const gone = [...there.keys()].filter((table) => Number(table) > FIRST_TABLE && !wanted.has(table));
  const routes = missing.map(
    ([table, address]) => `route replace default via ${address} dev ${VXLAN_DEVICE} onlink table ${table}`,
  );
  return {
    // A new device has neither.
    add: routes.length === 0 ? [] : [`address replace ${TUNNEL_ADDRESS} dev ${VXLAN_DEVICE} scope host`, ...routes],
    remove: gone.map((table) => `route flush table ${table}`),
  };
}

/** Brings the host to these peers. The tunnel must be there unless they are none. */
export async function ensurePeerRoutes(run: CommandRunner, peers: readonly NumberedPeer[]): Promise<void> {
  const rules = await runSuccessfully(run, 'ip', ['-json', 'rule', 'show']);
  const routes = await run('ip', ['-json', 'route', 'show', 'table', 'all', 'dev', VXLAN_DEVICE]);
  const listing = { rules, routes: routes.exitCode === 0 ? routes.stdout : '' };
  const lines = planPeerRoutes(peers, listing);
  if (lines.length > 0) await runSuccessfully(run, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`);
}

function masked(mark: number): string {
  return `0x${mark.toString(16)}/0x${PACKET_MASK.toString(16)}`;
}

/** iproute2 prints nothing at all for an empty list. */
function parsed<T>(schema: z.ZodType<T[]>, listing: string): T[] {
  return listing.trim() === '' ? [] : schema.parse(JSON.parse(listing));
}
