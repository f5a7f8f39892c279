/**
 * The VXLAN device of a host and what it knows of the others: a route per range, a permanent neighbour and one forwarding
 * entry per node. Nothing is learnt from packets. What is there is compared with what should be; lines for `ip -batch` and
 * `bridge -batch` come out. Pure.
 */
import { z } from 'zod';
import { VXLAN_DEVICE, VXLAN_ID, VXLAN_PORT } from './overlay-names.ts';
import type { Peer } from './plan-overlay.ts';

export interface TunnelWish {
  readonly localAddress: string;
  readonly mac: string;
  readonly mtuBytes: number;
  readonly peers: readonly Peer[];
}

/** Replies of iproute2's `-json`, as far as we look. */
const LinkReply = z.array(
  z.object({
    address: z.string(),
    mtu: z.int(),
    flags: z.array(z.string()),
    linkinfo: z
      .object({
        info_data: z
          .object({ id: z.int(), port: z.int(), local: z.string().optional(), learning: z.boolean().optional() })
          .optional(),
      })
      .optional(),
  }),
);
const RouteReply = z.array(z.object({ dst: z.string(), gateway: z.string().optional() }));
const NeighbourReply = z.array(z.object({ dst: z.string(), lladdr: z.string().optional() }));
const ForwardingReply = z.array(z.object({ mac: z.string(), dst: z.string().optional() }));

export interface TunnelListing {
  /** Undefined where there is no such device. */
  readonly link: string | undefined;
  readonly routes: string;
  readonly neighbours: string;
  readonly forwarding: string;
}

export interface TunnelChange {
  readonly ip: readonly string[];
  readonly bridge: readonly string[];
}

/** What is missing or wrong; a device with other settings is made anew, which takes its entries along. */
export function planTunnel(wish: TunnelWish, listing: TunnelListing): TunnelChange {
  const isSame = listing.link !== undefined && isAsWished(wish, listing.link);
  const known = isSame ? listing : { routes: '', neighbours: '', forwarding: '' };
  const remaking = listing.link === undefined ? [] : [`link delete dev ${VXLAN_DEVICE}`];
  return {
    ip: [
      ...(isSame ? mtuChange(wish, listing.link) : [...remaking, ...makeDevice(wish)]),
      ...neighbourChanges(wish.peers, parsed(NeighbourReply, known.neighbours)),
      ...routeChanges(wish.peers, parsed(RouteReply, known.routes)),
    ],
    bridge: forwardingChanges(wish.peers, parsed(ForwardingReply, known.forwarding)),
  };
}

function isAsWished(wish: TunnelWish, listing: string): boolean {
  const [link] = parsed(LinkReply, listing);
  const vxlan = link?.linkinfo?.info_data;
  if (link === undefined || vxlan === undefined) return false;
  const isTunnel = vxlan.id === VXLAN_ID && vxlan.port === VXLAN_PORT && vxlan.local === wish.localAddress;
  return isTunnel && link.address === wish.mac && link.flags.includes('UP');
}

/** Undefined where there is no device. Pure. */
export function deviceMtuBytes({ link }: Pick<TunnelListing, 'link'>): number | undefined {
  return parsed(LinkReply, link ?? '')[0]?.mtu;
}

/** The smallest uplink of the cluster may come or go: that costs no connection. */
function mtuChange({ mtuBytes }: TunnelWish, listing: string | undefined): string[] {
  return deviceMtuBytes({ link: listing }) === mtuBytes ? [] : [`link set dev ${VXLAN_DEVICE} mtu ${mtuBytes}`];
}

function makeDevice({ localAddress, mac, mtuBytes }: TunnelWish): string[] {
  return [
    `link add ${VXLAN_DEVICE} address ${mac} mtu ${mtuBytes} type vxlan id ${VXLAN_ID} local ${localAddress} dstport ${VXLAN_PORT} nolearning`,
    `link set dev ${VXLAN_DEVICE} up`,
  ];
}

function neighbourChanges(peers: readonly Peer[], known: z.infer<typeof NeighbourReply>): string[] {
  const wanted = new Map(peers.map(({ address, mac }) => [address, mac]));
  const there = new Map(known.map(({ dst, lladdr }) => [dst, lladdr]));
  return [
    ...[...wanted]
      .filter(([address, mac]) => there.get(address) !== mac)
      .map(([address, mac]) => `neigh replace ${address} lladdr ${mac} dev ${VXLAN_DEVICE} nud permanent`),
    ...[...there.keys()]
      .filter((address) => !wanted.has(address))
      .map((address) => `neigh delete ${address} dev ${VXLAN_DEVICE}`),
  ];
}

function routeChanges(peers: readonly Peer[], known: z.infer<typeof RouteReply>): string[] {
  const wanted = new Map(peers.flatMap(({ address, subnets }) => subnets.map((subnet) => [subnet, address])));
  const there = new Map(known.map(({ dst, gateway }) => [dst, gateway]));
  return [
    ...[...wanted]
      .filter(([subnet, address]) => there.get(subnet) !== address)
      .map(([subnet, address]) => `route replace ${subnet} via ${address} dev ${VXLAN_DEVICE} onlink`),
    ...[...there.keys()]
      .filter((subnet) => !wanted.has(subnet))
      .map((subnet) => `route delete ${subnet} dev ${VXLAN_DEVICE}`),
  ];
}

function forwardingChanges(peers: readonly Peer[], known: z.infer<typeof ForwardingReply>): string[] {
  const wanted = new Map(peers.map(({ address, mac }) => [mac, address]));
  const there = new Map(known.flatMap(({ mac, dst }) => (dst === undefined ? [] : [[mac, dst] as const])));
  return [
    ...[...wanted]
      .filter(([mac, address]) => there.get(mac) !== address)
      .map(([mac, address]) => `fdb replace ${mac} dev ${VXLAN_DEVICE} dst ${address} self permanent`),
    ...[...there].filter(([mac]) => !wanted.has(mac)).map(([mac]) => `fdb delete ${mac} dev ${VXLAN_DEVICE} self`),
  ];
}

/** iproute2 prints nothing at all for an empty list. */
function parsed<T>(schema: z.ZodType<T[]>, listing: string): T[] {
  return listing.trim() === '' ? [] : schema.parse(JSON.parse(listing));
}
