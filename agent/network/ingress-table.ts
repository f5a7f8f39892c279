/**
 * The nft table `plimsoll`: connections to a published port of this host's own addresses (localhost included) go in
 * turn to the ready local containers. Pure: ports in, the text for `nft -f -` out; the same ports give the same text.
 */

export type TransportProtocol = 'tcp' | 'udp' | 'sctp';

/** One container that answers on a published port. */
export interface IngressEndpoint {
  readonly taskId: string;
  readonly protocol: TransportProtocol;
  readonly publishedPort: number;
  /** IPv4 address of the container on this host. */
  readonly address: string;
  readonly targetPort: number;
}

/** A bridge containers of this host hang on. */
export interface BridgeNetwork {
  readonly device: string;
  /** IPv4 network in CIDR form. */
  readonly subnet: string;
}

export interface IngressTable {
  readonly endpoints: readonly IngressEndpoint[];
  readonly bridges: readonly BridgeNetwork[];
  /** Devices on which we switched `route_localnet` on: the guard below protects them, `remove` switches them off. */
  readonly loopbackDevices: readonly string[];
}

export const INGRESS_TABLE = 'plimsoll';
/** The bit of the connection mark that says "translated by us"; DOCKER-USER accepts it. */
export const INGRESS_MARK = 0x0100_0000;
export const LOOPBACK_DEVICES_SET = 'loopback_devices';

/** Our chains come before Docker's, which sit at dstnat (-100) and srcnat (100). */
const DSTNAT_PRIORITY = -101;
const SRCNAT_PRIORITY = 99;
const RAW_PRIORITY = -300;

/** One transaction that replaces the whole table; established connections keep their translation (conntrack's). */
export function renderIngressTable(table: IngressTable): string {
  const ports = [...groupByPort(table.endpoints)];
  return [
    renderTableRemoval(),
    `table ip ${INGRESS_TABLE} {`,
    renderSet(LOOPBACK_DEVICES_SET, 'type ifname', table.loopbackDevices.map(quoted)),
    renderMap(ports.map(([port]) => port)),
    ...ports.map(([port, endpoints]) => renderPort(port, endpoints)),
    renderTranslation(),
    renderMasquerade(table.bridges),
    renderLoopbackGuard(),
    '}',
    '',
  ].join('\n');
}

/** Removes the table whether it is there or not. */
export function renderTableRemoval(): string {
  return `add table ip ${INGRESS_TABLE}\ndelete table ip ${INGRESS_TABLE}`;
}

/** `tcp . 80` -> its endpoints, everything in a fixed order so that only a real change changes the text. */
function groupByPort(endpoints: readonly IngressEndpoint[]): Map<string, IngressEndpoint[]> {
  const byPort = new Map<string, IngressEndpoint[]>();
  for (const endpoint of [...endpoints].sort(compareEndpoints)) {
    const port = `${endpoint.protocol} . ${endpoint.publishedPort}`;
    byPort.set(port, [...(byPort.get(port) ?? []), endpoint]);
  }
  return byPort;
}

function compareEndpoints(a: IngressEndpoint, b: IngressEndpoint): number {
  return (
    a.protocol.localeCompare(b.protocol) ||
    a.publishedPort - b.publishedPort ||
    a.address.localeCompare(b.address) ||
    a.targetPort - b.targetPort
  );
}

function renderMap(ports: readonly string[]): string {
  const elements = ports.map((port) => `${port} : goto ${chainOf(port)}`);
  return block('map published_ports', ['type inet_proto . inet_service : verdict', ...elementsLine(elements)]);
}

function renderSet(name: string, type: string, elements: readonly string[]): string {
  return block(`set ${name}`, [type, ...elementsLine(elements)]);
}

function elementsLine(elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`elements = { ${elements.join(', ')} }`];
}

function renderPort(port: string, endpoints: readonly IngressEndpoint[]): string {
  const turns = endpoints.map(({ address, targetPort }, turn) => `${turn} : ${address} . ${targetPort}`);
  return block(`chain ${chainOf(port)}`, [
    `ct mark set ct mark or ${INGRESS_MARK}`,
    // nft wants the transport protocol said again wherever a port is translated.
    `meta l4proto ${protocolOf(port)} dnat ip to numgen inc mod ${turns.length} map { ${turns.join(', ')} }`,
  ]);
}

function protocolOf(port: string): string {
  return port.split(' ')[0] ?? '';
}

function chainOf(port: string): string {
  return port.replace(' . ', '_');
}

function renderTranslation(): string {
  const rule = 'fib daddr type local meta l4proto . th dport vmap @published_ports';
  return [
    block('chain prerouting', [`type nat hook prerouting priority ${DSTNAT_PRIORITY}; policy accept;`, rule]),
    block('chain output', [`type nat hook output priority ${DSTNAT_PRIORITY}; policy accept;`, rule]),
  ].join('\n');
}

/**
 * Only where the answer would not come back through this host do we hide the caller: from 127.0.0.0/8, which means
 * the container itself in there, and from a container of the same bridge, which the answer would reach directly.
 */
function renderMasquerade(bridges: readonly BridgeNetwork[]): string {
  const rules = bridges.map(
    ({ device, subnet }) =>
      `ct mark and ${INGRESS_MARK} == ${INGRESS_MARK} oifname ${quoted(device)} ip saddr { 127.0.0.0/8, ${subnet} } masquerade`,
  );
  return block('chain postrouting', [
    `type nat hook postrouting priority ${SRCNAT_PRIORITY}; policy accept;`,
    ...rules,
  ]);
}

/** `route_localnet` would let containers reach what listens on this host's 127.0.0.1 (CVE-2020-8558): not through us. */
function renderLoopbackGuard(): string {
  return block('chain loopback_guard', [
    `type filter hook prerouting priority ${RAW_PRIORITY}; policy accept;`,
    `iifname @${LOOPBACK_DEVICES_SET} ip daddr 127.0.0.0/8 drop`,
    `iifname @${LOOPBACK_DEVICES_SET} ip saddr 127.0.0.0/8 drop`,
  ]);
}

function block(head: string, lines: readonly string[]): string {
  return [`  ${head} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n');
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
