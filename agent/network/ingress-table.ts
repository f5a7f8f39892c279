/**
 * The nft table `plimsoll`: connections to a published port of this host's own addresses (localhost included) go to a ready
 * task, here or, through the tunnel, on another node. Pure: wishes in, chains and elements out.
 *
 * Two choices, so that a node's own tasks come and go without the others' help: the node that is asked chooses a node by its
 * number of tasks, that node one of its tasks. Each has 64 fixed slots per port, filled from names: every node comes to the
 * same first choice, which is what makes a client's place the same wherever it asks.
 */
import { groupBy } from '../../runtime/group-by.ts';
import { INGRESS_MARK, PACKET_MASK, PEER_MASK, packetMark } from './mesh/peer-numbers.ts';
import { fillSlots, SLOTS } from './mesh/slots.ts';
import { baseChain, chain, type ElementParts, inOnePart, type RenderedTable } from './nft-elements.ts';
import { VXLAN_DEVICE } from './overlay/overlay-names.ts';

export type TransportProtocol = 'tcp' | 'udp' | 'sctp';

/** How connections to a port are treated. */
interface PortTreatment {
  readonly affinity: 'none' | 'client-ip';
  /** Tasks see a node's address instead of the client's. */
  readonly masquerade: boolean;
}

/** One container that answers on a published port. */
export interface IngressEndpoint extends PortTreatment {
  readonly taskId: string;
  readonly protocol: TransportProtocol;
  readonly publishedPort: number;
  /** IPv4 address of the container on this host. */
  readonly address: string;
  readonly targetPort: number;
}

/** A port with ready tasks on another node. */
export interface PeerPort extends PortTreatment {
  readonly protocol: TransportProtocol;
  readonly port: number;
  readonly tasks: number;
}

export interface MeshPeer {
  readonly nodeId: string;
  /** What marks of connections and packets call it, see mesh/peer-numbers.ts. */
  readonly number: number;
  readonly address: string;
  /** Of its end of the tunnel. */
  readonly mac: string;
  readonly ports: readonly PeerPort[];
}

/** The other nodes as this one's published ports see them. */
export interface MeshView {
  readonly nodeId: string;
  /** This node's address: where the others send connections for its tasks. */
  readonly address: string;
  readonly peers: readonly MeshPeer[];
}

/** A bridge containers of this host hang on. */
export interface BridgeNetwork {
  readonly device: string;
  /** IPv4 network in CIDR form. */
  readonly subnet: string;
}

export interface IngressTable {
  /** Ready tasks. */
  readonly endpoints: readonly IngressEndpoint[];
  /** Tasks about to stop: only what other nodes still send for a port without a ready task here goes to them. */
  readonly leaving: readonly IngressEndpoint[];
  readonly bridges: readonly BridgeNetwork[];
  /** Devices on which we switched `route_localnet` on: the guard below protects them, `remove` switches them off. */
  readonly loopbackDevices: readonly string[];
  /** Absent where there is no other node to send to or hear from. */
  readonly mesh: MeshView | undefined;
}

export const INGRESS_TABLE = 'plimsoll';
/** A bit of the connection mark: the task is not to see the client's address. */
const MASQUERADE_MARK = 0x0400_0000;
export const LOOPBACK_DEVICES_SET = 'loopback_devices';

/** Our chains come before Docker's, which sit at dstnat (-100) and srcnat (100); raw (-300) comes before conntrack. */
const PRIORITY = { raw: -300, mark: -150, translate: -101, source: 99, unmark: 150 } as const;
const TUNNEL = quoted(VXLAN_DEVICE);
const NO_PEER = 0xffff_ffff - PACKET_MASK;

export function renderIngressTable(table: IngressTable): RenderedTable {
  const ports = portsOf(table);
  const { mesh } = table;
  return {
    name: INGRESS_TABLE,
    frame: frameOf(table),
    elements: new Map([
      [LOOPBACK_DEVICES_SET, inOnePart(table.loopbackDevices.map(quoted))],
      ['published', inOnePart(ports.flatMap((port) => publishedElement(port)))],
      ['arrivals', inOnePart(mesh ? ports.flatMap((port) => arrivalElement(port)) : [])],
      ['nodes', byPort(ports, (port) => (mesh ? nodeElements(port, mesh) : []))],
      ['tasks', byPort(ports, taskElements)],
    ]),
  };
}

function byPort(ports: readonly Port[], elementsOf: (port: Port) => readonly string[]): ElementParts {
  return new Map(ports.map((port) => [port.key, elementsOf(port)]));
}

/** One published port, over all nodes. */
interface Port extends PortTreatment {
  /** As keys begin with it: `tcp . 80`. */
  readonly key: string;
  readonly ready: readonly IngressEndpoint[];
  readonly leaving: readonly IngressEndpoint[];
  readonly elsewhere: readonly (PeerPort & { readonly peer: MeshPeer })[];
}

function portsOf({ endpoints, leaving, mesh }: IngressTable): Port[] {
  const remote = (mesh?.peers ?? []).flatMap((peer) => peer.ports.map((port) => ({ ...port, peer })));
  const ready = groupBy(endpoints, endpointKey);
  const going = groupBy(leaving, endpointKey);
  const elsewhere = groupBy(remote, ({ protocol, port }) => keyOf(protocol, port));
  const keys = [...new Set([...ready.keys(), ...going.keys(), ...elsewhere.keys()])].sort();
  return keys.map((key) => {
    const port = { ready: ready.get(key) ?? [], leaving: going.get(key) ?? [], elsewhere: elsewhere.get(key) ?? [] };
    const treatments: PortTreatment[] = Object.values(port).flat();
    return {
      key,
      ...port,
      affinity: treatments.some(({ affinity }) => affinity === 'client-ip') ? 'client-ip' : 'none',
      masquerade: treatments.some(({ masquerade }) => masquerade),
    };
  });
}

function endpointKey({ protocol, publishedPort }: IngressEndpoint): string {
  return keyOf(protocol, publishedPort);
}

function keyOf(protocol: TransportProtocol, port: number): string {
  return `${protocol} . ${port}`;
}

function publishedElement(port: Port): string[] {
  if (port.elsewhere.length > 0) return [`${port.key} : goto ${chainFor('spread', port)}`];
  return port.ready.length > 0 ? [`${port.key} : goto ${chainFor('local', port)}`] : [];
}

function arrivalElement(port: Port): string[] {
  return port.ready.length + port.leaving.length > 0 ? [`${port.key} : goto ${chainFor('local', port)}`] : [];
}

function nodeElements({ key, ready, elsewhere, affinity }: Port, { nodeId }: MeshView): string[] {
  if (elsewhere.length === 0) return [];
  const here = chainFor('local', { affinity, masquerade: false });
  const verdicts = new Map(elsewhere.map(({ peer }) => [peer.nodeId, `goto ${chainTo(peer)}`]));
  const candidates = elsewhere.map(({ peer, tasks }) => ({ key: peer.nodeId, weight: tasks }));
  const slots = fillSlots([...candidates, { key: nodeId, weight: ready.length }]);
  return slots.map((node, slot) => `${key} . ${slot} : ${verdicts.get(node) ?? `goto ${here}`}`);
}

function taskElements({ key, ready, leaving }: Port): string[] {
  const endpoints = ready.length > 0 ? ready : leaving;
  const targets = [...new Set(endpoints.map(({ address, targetPort }) => `${address} . ${targetPort}`))];
  const slots = fillSlots(targets.map((target) => ({ key: target, weight: 1 })));
  return slots.map((target, slot) => `${key} . ${slot} : ${target}`);
}

type Stage = 'spread' | 'local';

/** The chain for a port at a stage: a name per way of treating connections. */
function chainFor(stage: Stage, { affinity, masquerade }: PortTreatment): string {
  return [masquerade ? 'masked' : '', stage, affinity === 'client-ip' ? 'affine' : ''].filter(Boolean).join('_');
}

function chainTo({ number }: MeshPeer): string {
  return `to_${number}`;
}

function frameOf({ bridges, mesh }: IngressTable): string {
  return [
    `table ip ${INGRESS_TABLE} {`,
    `set ${LOOPBACK_DEVICES_SET} { type ifname; }`,
    'map published { type inet_proto . inet_service : verdict; }',
    'map arrivals { type inet_proto . inet_service : verdict; }',
    `map nodes { typeof meta l4proto . th dport . numgen random mod ${SLOTS} : verdict; }`,
    `map tasks { typeof meta l4proto . th dport . numgen random mod ${SLOTS} : ip daddr . th dport; }`,
    ...localChains,
    ...(mesh ? meshChains(mesh) : []),
    ...spreadChains,
    baseChain('prerouting', `nat hook prerouting priority ${PRIORITY.translate}`, [
      ...(mesh ? arrivalRules(mesh) : []),
      'fib daddr type local meta l4proto . th dport vmap @published',
    ]),
    baseChain('output', `nat hook output priority ${PRIORITY.translate}`, [
      'fib daddr type local meta l4proto . th dport vmap @published',
    ]),
    baseChain('postrouting', `nat hook postrouting priority ${PRIORITY.source}`, sourceRules(bridges, mesh)),
    baseChain('loopback_guard', `filter hook prerouting priority ${PRIORITY.raw}`, loopbackGuard),
    '}',
  ].join('\n');
}

/** Client affinity hashes with another seed at each of the two choices: who came by the first is spread by the second. */
const chosenBy = {
  none: { spread: `numgen random mod ${SLOTS}`, local: `numgen random mod ${SLOTS}` },
  'client-ip': {
    spread: `jhash ip saddr mod ${SLOTS} seed 0x706c696d`,
    local: `jhash ip saddr mod ${SLOTS} seed 0x736f6c6c`,
  },
} as const;
const affinities = ['none', 'client-ip'] as const;

/** `meta l4proto` once more: nft wants the transport protocol said again wherever a port is translated. */
const localChains = affinities.flatMap((affinity) => [
  chain(chainFor('local', { affinity, masquerade: false }), [
    `ct mark set ct mark or ${INGRESS_MARK}`,
    `meta l4proto { tcp, udp } dnat ip to meta l4proto . th dport . ${chosenBy[affinity].local} map @tasks`,
  ]),
  maskedChain('local', affinity),
]);

const spreadChains = affinities.flatMap((affinity) => [
  chain(chainFor('spread', { affinity, masquerade: false }), [
    `meta l4proto . th dport . ${chosenBy[affinity].spread} vmap @nodes`,
  ]),
  maskedChain('spread', affinity),
]);

function maskedChain(stage: Stage, affinity: PortTreatment['affinity']): string {
  return chain(chainFor(stage, { affinity, masquerade: true }), [
    `ct mark set ct mark or ${MASQUERADE_MARK}`,
    `goto ${chainFor(stage, { affinity, masquerade: false })}`,
  ]);
}

/**
 * The mark of a connection names the node its packets of one direction go to: on the node that was asked, those of the
 * client; on the task's node, the replies. Both leave by the tunnel and come in elsewhere. A zone per node keeps two
 * connections apart that come from one client port through two nodes.
 */
function meshChains({ address, peers }: MeshView): string[] {
  const zones = peers.map(({ mac, number }) => `${mac} : ${number}`).join(', ');
  const marks = peers.map(({ mac, number }) => `${mac} : ${packetMark(number)}`).join(', ');
  const marked = `ct mark and ${INGRESS_MARK} != 0 ct mark and ${PEER_MASK} != 0`;
  const toPeer = `meta mark set ct mark and ${PACKET_MASK}`;
  return [
    ...peers.map((peer) =>
      chain(chainTo(peer), [
        `meta mark set meta mark or ${packetMark(peer.number)}`,
        `ct mark set ct mark or ${packetMark(peer.number)}`,
        `dnat to ${peer.address}`,
      ]),
    ),
    baseChain('zones', `filter hook prerouting priority ${PRIORITY.raw}`, [
      `ip daddr ${address} iifname ${TUNNEL} ct original zone set ether saddr map { ${zones} }`,
    ]),
    baseChain('marks', `filter hook prerouting priority ${PRIORITY.mark}`, [
      `ip daddr ${address} ct state new iifname ${TUNNEL} ct mark set ether saddr map { ${marks} }`,
      `${marked} iifname != ${TUNNEL} ${toPeer}`,
    ]),
    baseChain('output_marks', `route hook output priority ${PRIORITY.mark}`, [`${marked} ${toPeer}`]),
    // The encapsulated packet is the same one to the kernel: its mark must not send it into the tunnel once more.
    baseChain('unmark', `filter hook postrouting priority ${PRIORITY.unmark}`, [
      `tcp flags syn oifname ${TUNNEL} tcp option maxseg size set rt mtu`,
      `meta mark and ${PACKET_MASK} != 0 oifname ${TUNNEL} meta mark set meta mark and ${NO_PEER}`,
    ]),
  ];
}

function arrivalRules({ address }: MeshView): string[] {
  return [
    `iifname ${TUNNEL} ip daddr ${address} meta l4proto . th dport vmap @arrivals`,
    // What came from a node is never sent on to another.
    `iifname ${TUNNEL} return`,
  ];
}

/**
 * The client keeps its address, except where the answer would not find back: from 127.0.0.0/8, which means the container
 * itself in there; from a container of the same bridge, which the answer would reach directly; to another node from this
 * node or another one, whose own address is no stranger's there.
 */
function sourceRules(bridges: readonly BridgeNetwork[], mesh: MeshView | undefined): string[] {
  return [
    `ct mark and ${INGRESS_MARK} == 0 return`,
    ...(mesh ? tunnelSourceRules(mesh) : []),
    ...bridges.map(({ device, subnet }) => `oifname ${quoted(device)} ip saddr { 127.0.0.0/8, ${subnet} } masquerade`),
    `ct mark and ${MASQUERADE_MARK} != 0 masquerade`,
  ];
}

function tunnelSourceRules({ address, peers }: MeshView): string[] {
  const rules = [
    'fib saddr type local',
    `ct mark and ${MASQUERADE_MARK} != 0`,
    `ip saddr { ${peers.map((peer) => peer.address).join(', ')} }`,
  ];
  return [...rules.map((match) => `oifname ${TUNNEL} ${match} snat to ${address}`), `oifname ${TUNNEL} return`];
}

/** `route_localnet` would let containers reach what listens on this host's 127.0.0.1 (CVE-2020-8558): not through us. */
const loopbackGuard = [
  `ip daddr 127.0.0.0/8 iifname @${LOOPBACK_DEVICES_SET} drop`,
  `ip saddr 127.0.0.0/8 iifname @${LOOPBACK_DEVICES_SET} drop`,
];

function quoted(name: string): string {
  return JSON.stringify(name);
}
