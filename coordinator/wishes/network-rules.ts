/** What a network of the cluster may be: sentences name the field as the Engine API spells it. Pure. */
import { ENCRYPTED_OPTION, isEncrypted, MTU_OPTION, type NetworkRecord } from '../../model/network-records.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { holds, type Ipv4Range, ipv4Number, ipv4Range, overlaps, rangeText } from '../../runtime/ipv4.ts';
import { WIREGUARD_ADVICE } from '../plan/network/encrypting-nodes.ts';
import { nodePool, vipPool } from '../plan/network/pools.ts';
import { invalid, unsupported } from './errors.ts';

/** A network as it is asked for; fields as the Engine API words them. */
export interface NetworkWish {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly subnet: string | undefined;
}

/** Networks every engine has: the cluster's are called otherwise. */
export const predefinedNetworks: readonly string[] = ['bridge', 'host', 'none'];
const reservedNames = [...predefinedNetworks, 'default', 'ingress', 'docker_gwbridge'];

/** IPv4 wants hosts to take 576 (RFC 791); jumbo frames end at 9,000. */
const MTU_BYTES = { min: 576, max: 9_000 };

/** A node's part of a range, and some nodes: smaller ones leave no room. */
const LONGEST_SUBNET_PREFIX = 27;
const SHORTEST_SUBNET_PREFIX = 8;

/** Throws `invalid` or `unsupported`. */
export function checkNetworkWish(wish: NetworkWish): void {
  checkName(wish.name);
  for (const [option, value] of Object.entries(wish.options)) checkOption(option, value);
  if (wish.subnet !== undefined) checkSubnet(wish.subnet);
}

function checkName(name: string): void {
  if (name === '' || name.length > 63) throw invalid(`Name: "${name}" must have 1 to 63 characters`);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_-]*(?:\.[a-zA-Z0-9_-]+)*$/.test(name)) {
    throw invalid(`Name: "${name}" must begin with a letter or digit and go on with those, "_", "-" and single dots`);
  }
  if (reservedNames.includes(name)) {
    throw new PlimsollError('refused', `operation is not permitted on predefined ${name} network`);
  }
}

function checkOption(option: string, value: string): void {
  if (option === ENCRYPTED_OPTION) {
    if (value === '' || value === 'true') return;
    throw invalid(
      `Options.${option}: "${value}" is neither "true" nor nothing: leave the option out for a network in clear`,
    );
  }
  if (option !== MTU_OPTION) throw unsupported(`the network option ${option}`, `Options.${option}`);
  const bytes = Number(value);
  if (!Number.isInteger(bytes) || bytes < MTU_BYTES.min || bytes > MTU_BYTES.max) {
    throw invalid(`Options.${option}: "${value}" is not a number of bytes from ${MTU_BYTES.min} to ${MTU_BYTES.max}`);
  }
}

function checkSubnet(subnet: string): void {
  const range = parsedRange(subnet);
  if (range === undefined || range.prefix < SHORTEST_SUBNET_PREFIX || range.prefix > LONGEST_SUBNET_PREFIX) {
    const sizes = `/${SHORTEST_SUBNET_PREFIX} to /${LONGEST_SUBNET_PREFIX}`;
    throw invalid(`IPAM.Config.Subnet: "${subnet}" is not an IPv4 network of ${sizes}, such as 10.50.0.0/16`);
  }
  if (rangeText(range) !== subnet) throw invalid(`IPAM.Config.Subnet: "${subnet}" should be ${rangeText(range)}`);
  const special = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'].map(ipv4Range);
  if (special.some((other) => overlaps(range, other))) {
    throw invalid(`IPAM.Config.Subnet: ${subnet} lies in a range that is no host's`);
  }
}

function parsedRange(text: string): Ipv4Range | undefined {
  const [address = '', prefix = ''] = text.split('/');
  const octets = address.split('.');
  const isAddress = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) < 256);
  if (!isAddress || !/^\d{1,2}$/.test(prefix) || Number(prefix) > 32) return undefined;
  return ipv4Number(address) >= 0 ? ipv4Range(text) : undefined;
}

/** Throws `unsupported` where the network is to be encrypted and no node can. Nodes that cannot get none of its tasks. */
export function refuseUnencryptable(
  wish: Pick<NetworkWish, 'options'>,
  nodes: readonly { readonly wireguardKey?: string | undefined }[],
): void {
  if (!isEncrypted(wish) || nodes.some(({ wireguardKey }) => wireguardKey !== undefined)) return;
  const nobody = `none of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} has WireGuard`;
  throw unsupported(
    `encrypted networks here: ${nobody} (on a node: ${WIREGUARD_ADVICE})`,
    `Options.${ENCRYPTED_OPTION}`,
  );
}

/** What else in the cluster has addresses. */
export interface TakenRanges {
  readonly networks: Iterable<NetworkRecord>;
  readonly nodes: Iterable<{ readonly hostname: string; readonly address: string }>;
}

/** Throws `invalid` when a range of one's own meets somebody else's. */
export function refuseOverlap(subnet: string, taken: TakenRanges): void {
  const range = ipv4Range(subnet);
  const refuse = (whose: string) => invalid(`IPAM.Config.Subnet: ${subnet} overlaps with ${whose}`);
  for (const pool of [nodePool, vipPool]) {
    if (overlaps(range, pool)) throw refuse(`${rangeText(pool)}, which the cluster gives addresses from by itself`);
  }
  for (const { name, subnet: theirs } of taken.networks) {
    if (theirs !== undefined && overlaps(range, ipv4Range(theirs))) throw refuse(`${theirs} of network ${name}`);
  }
  for (const { hostname, address } of taken.nodes) {
    if (holds(range, address)) throw refuse(`the address ${address} of node ${hostname}`);
  }
}
