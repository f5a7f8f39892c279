/**
 * A container that calls its own node's published port may be the one whose turn it is. With br_netfilter its packet
 * is then bridged back to the port it came from, which a bridge does only for ports in hairpin mode.
 */
import { z } from 'zod';
import { type CommandRunner, runSuccessfully } from './command-runner.ts';

const BridgePorts = z.array(
  z.object({
    ifname: z.string(),
    linkinfo: z.object({ info_slave_data: z.object({ hairpin: z.boolean() }).optional() }).optional(),
  }),
);

/** Switches hairpin mode on for every port of the bridge that lacks it; a port that vanishes meanwhile is no error. */
export async function ensureHairpin(run: CommandRunner, bridge: string): Promise<void> {
  const listing = await runSuccessfully(run, 'ip', ['-details', '-json', 'link', 'show', 'master', bridge]);
  const changes = portsWithoutHairpin(listing).map((port) => `link set dev ${port} type bridge_slave hairpin on\n`);
  if (changes.length > 0) await run('ip', ['-force', '-batch', '-'], changes.join(''));
}

/** Pure: names out of `ip -details -json link show master BRIDGE`, which prints nothing at all for a bare bridge. */
export function portsWithoutHairpin(listing: string): string[] {
  const ports = BridgePorts.parse(JSON.parse(listing.trim() || '[]'));
  return ports.filter((port) => port.linkinfo?.info_slave_data?.hairpin === false).map((port) => port.ifname);
}
