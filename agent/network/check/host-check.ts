/** Whether this host's kernel has of the cluster's networks what it should have, and whether anything stands in its way. */
import type { CheckFinding } from '../../../model/network-check.ts';
import { VXLAN_OVERHEAD_BYTES } from '../../../model/network-tunnel.ts';
import { messageOf } from '../../../runtime/errors.ts';
import type { CommandRunner } from '../command-runner.ts';
import { isAccepted, overlayAccept, overlayInput } from '../forward-accept.ts';
import { tunnelMac, VXLAN_DEVICE, VXLAN_PORT } from '../overlay/overlay-names.ts';
import { membersSetOf, OVERLAY_TABLE } from '../overlay/overlay-table.ts';
import type { OverlayPlan, Peer } from '../overlay/plan-overlay.ts';
import { listTunnel, uplinkMtuBytes } from '../overlay/tunnel.ts';
import { deviceMtuBytes, planTunnel, type TunnelListing } from '../overlay/tunnel-plan.ts';
import { broken, fine } from './findings.ts';

const WAIT =
  'The agent of this host puts it back within 30 s. If it is still so then, another program takes it away again';

/** `peerIds` are the nodes that matter; absent = all. Rejects when the host's programs cannot be run. */
export async function checkHost(
  run: CommandRunner,
  plan: OverlayPlan,
  peerIds?: readonly string[],
): Promise<CheckFinding[]> {
  if (plan.tunnel === undefined) return [fine('tunnel', 'no task of this host is on a network of the cluster')];
  const wantedMacs = peerIds && new Set(peerIds.map(tunnelMac));
  const peers = plan.peers.filter(({ mac }) => wantedMacs?.has(mac) ?? true);
  const listing = await listTunnel(run);
  return [
    ...(await firewallFindings(run, plan)),
    ...(peers.length === 0 ? [] : tunnelFindings({ ...plan.tunnel, peers }, listing)),
    ...(await sizeFindings(run, plan.tunnel.localAddress, listing)),
  ];
}

interface TunnelPart {
  readonly localAddress: string;
  readonly mac: string;
  readonly peers: readonly Peer[];
}

/** What would have to be done is what is wrong. Entries for other nodes are none of the question. Pure. */
export function tunnelFindings(part: TunnelPart, listing: TunnelListing): CheckFinding[] {
  const change = planTunnel({ ...part, mtuBytes: deviceMtuBytes(listing) ?? 0 }, listing);
  const missing = [...change.ip, ...change.bridge].filter((line) => !/^\w+ delete/.test(line));
  const made = missing.find((line) => line.startsWith('link add'));
  if (made !== undefined) {
    return [broken('tunnel', `the device ${VXLAN_DEVICE} is missing or not as it should be (${made})`, WAIT)];
  }
  return [entryFinding('route', missing, part), entryFinding('neighbour', missing, part)];
}

const wordsOf = { route: ['route'], neighbour: ['neigh', 'fdb'] } as const;

function entryFinding(step: 'route' | 'neighbour', missing: readonly string[], { peers }: TunnelPart): CheckFinding {
  const lines = missing.filter((line) => wordsOf[step].some((word) => line.startsWith(`${word} replace`)));
  if (lines.length > 0) return broken(step, `missing or wrong: ${lines.join('; ')}`, WAIT);
  return fine(step, `${step}s of ${peers.map(({ address }) => address).join(', ')} are as they should be`);
}

/** A wrapped packet has to fit through this host's own uplink. */
async function sizeFindings(run: CommandRunner, localAddress: string, listing: TunnelListing): Promise<CheckFinding[]> {
  const device = deviceMtuBytes(listing);
  const uplink = await uplinkMtuBytes(run, localAddress);
  if (device === undefined || uplink === undefined) return [];
  const words = `packets of ${device} bytes are ${device + VXLAN_OVERHEAD_BYTES} wrapped; the interface with ${localAddress} takes ${uplink}`;
  if (device + VXLAN_OVERHEAD_BYTES <= uplink) return [fine('mtu', words)];
  const advice = `Give the interface an MTU of ${device + VXLAN_OVERHEAD_BYTES} again; else all nodes use smaller packets within a minute`;
  return [broken('mtu', words, advice)];
}

async function firewallFindings(run: CommandRunner, plan: OverlayPlan): Promise<CheckFinding[]> {
  const findings = [
    await tableFinding(run, plan),
    ...(await foreignDrops(run)),
    ...((await isAccepted(run, overlayAccept))
      ? []
      : [broken('firewall', 'Docker’s chain DOCKER-USER has no rule that lets our packets through', WAIT)]),
    ...((await isAccepted(run, overlayInput))
      ? []
      : [broken('firewall', 'iptables’ chain INPUT has no rule that lets nodes and containers reach this host', WAIT)]),
  ].filter((finding) => finding !== undefined);
  return findings.length > 0
    ? findings
    : [fine('firewall', `table ${OVERLAY_TABLE} and its rule in Docker’s chain are there`)];
}

async function tableFinding(run: CommandRunner, plan: OverlayPlan): Promise<CheckFinding | undefined> {
  for (const { id, members } of plan.table.networks) {
    const { exitCode, stdout } = await run('nft', ['list', 'set', 'ip', OVERLAY_TABLE, membersSetOf(id)]);
    if (exitCode !== 0)
      return broken('firewall', `the nft table ${OVERLAY_TABLE}, or network ${id} in it, is gone`, WAIT);
    const listed = new Set(stdout.match(/\d+\.\d+\.\d+\.\d+/g));
    const missing = [...members.values()].flat().filter((address) => !listed.has(address));
    if (missing.length > 0) {
      return broken(
        'firewall',
        `the kernel does not know these addresses as members of network ${id}: ${missing.join(', ')}`,
        WAIT,
      );
    }
  }
  return undefined;
}

/** Rules of other programs that drop what goes between the hosts; without the elements of sets, which may be very many. */
async function foreignDrops(run: CommandRunner): Promise<CheckFinding[]> {
  const listed = await run('nft', ['--terse', 'list', 'ruleset']).catch((error: unknown) => ({
    stdout: messageOf(error),
  }));
  return dropsOfTunnel(listed.stdout).map(({ table, rule }) =>
    broken(
      'firewall',
      `table ${table} drops packets between the hosts: ${rule}`,
      `Let UDP ${VXLAN_PORT} pass between the hosts: take that rule away`,
    ),
  );
}

/** Pure: from the text of `nft list ruleset`. */
export function dropsOfTunnel(ruleset: string): { table: string; rule: string }[] {
  let table = '';
  return ruleset.split('\n').flatMap((line) => {
    table = /^table (.+) \{/.exec(line)?.[1] ?? table;
    const rule = line.trim();
    return rule.includes(String(VXLAN_PORT)) && /\b(drop|reject)\b/.test(rule) ? [{ table, rule }] : [];
  });
}
