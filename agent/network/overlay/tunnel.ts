/** Keeps the VXLAN device of this host as it should be. */
import { z } from 'zod';
import { VXLAN_OVERHEAD_BYTES } from '../../../model/network-tunnel.ts';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';
import type { ProcFiles } from '../loopback-routing.ts';
import { VXLAN_DEVICE } from './overlay-names.ts';
import { planTunnel, type TunnelListing, type TunnelWish } from './tunnel-plan.ts';

const AddressReply = z.array(z.object({ mtu: z.int().optional() }));
const ORDINARY_MTU_BYTES = 1_500;
/** A packet may come back another way than it left: a task on two networks has one default route. */
const LOOSE_REVERSE_PATH = '2';

export async function ensureTunnel(run: CommandRunner, wish: TunnelWish): Promise<void> {
  const { ip, bridge } = planTunnel(wish, await listTunnel(run));
  if (ip.length > 0) await runSuccessfully(run, 'ip', ['-batch', '-'], `${ip.join('\n')}\n`);
  if (bridge.length > 0) await runSuccessfully(run, 'bridge', ['-batch', '-'], `${bridge.join('\n')}\n`);
}

export async function removeTunnel(run: CommandRunner): Promise<void> {
  const listed = await run('ip', ['link', 'show', 'dev', VXLAN_DEVICE]);
  if (listed.exitCode === 0) await runSuccessfully(run, 'ip', ['link', 'delete', 'dev', VXLAN_DEVICE]);
}

/** What fits through the interface that has `address`; undefined when there is none. */
export async function uplinkMtuBytes(run: CommandRunner, address: string): Promise<number | undefined> {
  const { exitCode, stdout } = await run('ip', ['-json', 'address', 'show', 'to', address]);
  const [uplink] = exitCode === 0 && stdout.trim() !== '' ? AddressReply.parse(JSON.parse(stdout)) : [];
  return uplink?.mtu;
}

/** What fits through the interface that has `address`, once it is wrapped. */
export async function tunnelMtuBytes(run: CommandRunner, address: string): Promise<number> {
  return ((await uplinkMtuBytes(run, address)) ?? ORDINARY_MTU_BYTES) - VXLAN_OVERHEAD_BYTES;
}

/** The kernel's check of where packets come from must be no stricter than "some way leads back". */
export async function loosenReversePath(files: ProcFiles, device: string): Promise<void> {
  const path = `/proc/sys/net/ipv4/conf/${device}/rp_filter`;
  const state = await files.read(path).catch(() => undefined);
  if (state !== undefined && state.trim() !== LOOSE_REVERSE_PATH) await files.write(path, LOOSE_REVERSE_PATH);
}

/** What the host has of the tunnel now. */
export async function listTunnel(run: CommandRunner): Promise<TunnelListing> {
  const link = await run('ip', ['-json', '-details', 'link', 'show', 'dev', VXLAN_DEVICE]);
  if (link.exitCode !== 0) return { link: undefined, routes: '', neighbours: '', forwarding: '' };
  const list = (program: string, args: readonly string[]) =>
    runSuccessfully(run, program, ['-json', ...args, 'show', 'dev', VXLAN_DEVICE]);
  const [routes, neighbours, forwarding] = await Promise.all([
    list('ip', ['route']),
    list('ip', ['neighbour']),
    list('bridge', ['fdb']),
  ]);
  return { link: link.stdout, routes, neighbours, forwarding };
}
