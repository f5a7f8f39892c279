/**
 * The kernel's and the engine's side of the overlay on this host: brings them from what is loaded to what is planned, one
 * change at a time, and puts back what others took away.
 */
import { messageOf } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import { counterOf, type Metrics } from '../../../runtime/metrics.ts';
import type { EngineNetworks } from '../../engine/docker-networks.ts';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';
import { ensureAccepted, overlayAccept, overlayInput, removeAccepted } from '../forward-accept.ts';
import { ensureHairpin } from '../hairpin.ts';
import type { ProcFiles } from '../loopback-routing.ts';
import { ensurePeerRoutes, type NumberedPeer } from '../mesh/peer-routes.ts';
import { type RenderedTable, tableChange, tableRemoval } from '../nft-elements.ts';
import { encryptionBytes } from '../wireguard/plan-encryption.ts';
import { WireguardDevice } from '../wireguard/wireguard-device.ts';
import { WIREGUARD_DEVICE } from '../wireguard/wireguard-names.ts';
import { VXLAN_DEVICE } from './overlay-names.ts';
import { OVERLAY_TABLE, renderOverlayTable } from './overlay-table.ts';
import type { BridgeWish, OverlayPlan, Peer } from './plan-overlay.ts';
import { ensureTunnel, loosenReversePath, removeTunnel, tunnelMtuBytes } from './tunnel.ts';
import { staleVirtualFlows } from './virtual-flows.ts';

export interface OverlayHostParts {
  readonly clusterId: string;
  readonly run: CommandRunner;
  readonly files: ProcFiles;
  readonly networks: EngineNetworks;
  /** Of this host's WireGuard device; absent: it encrypts nothing. */
  readonly privateKey?: () => Promise<string>;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class OverlayHost {
  private readonly parts: OverlayHostParts;
  private readonly wireguard: WireguardDevice;
  private installed: { readonly plan: OverlayPlan; readonly table: RenderedTable } | undefined;
  /** The tunnel as it was last made, to see whether anything is to do. */
  private tunnel = '';
  /** Undefined until the engine was asked. */
  private engineNetworks: Set<string> | undefined;
  private mtuBytes: number | undefined;

  constructor(parts: OverlayHostParts) {
    this.parts = parts;
    this.wireguard = new WireguardDevice(parts);
  }

  /** Brings the host to the plan. Throws when it refuses; the same plan may then be tried again. */
  async apply(plan: OverlayPlan): Promise<void> {
    if (plan.tunnel === undefined) return this.installed || (await this.hasLeftovers()) ? this.clear() : undefined;
    await this.keepTunnel(plan);
    await this.keepTable(plan);
    await this.dropUnusedBridges(plan.bridges);
  }

  /** Makes sure the engine has these bridges. */
  async makeBridges(bridges: readonly BridgeWish[], localAddress: string): Promise<void> {
    const { clusterId, networks, files } = this.parts;
    const known = await this.knownNetworks();
    for (const bridge of bridges) {
      if (known.has(bridge.engineNetwork)) continue;
      const uplinkBytes = await this.uplinkMtu(localAddress);
      const fittingBytes = uplinkBytes - encryptionBytes(bridge.encrypted);
      const mtuBytes = Math.min(bridge.mtuBytes ?? fittingBytes, fittingBytes);
      await networks.create(clusterId, { ...bridge, name: bridge.engineNetwork, mtuBytes });
      await loosenReversePath(files, bridge.device);
      known.add(bridge.engineNetwork);
    }
  }

  /** Looks whether the host still has what was loaded, and loads it again if not. */
  async check(): Promise<void> {
    if (!this.installed) return;
    const { plan } = this.installed;
    await this.checkWireguard(plan);
    await this.acceptForwarding();
    if (!(await this.hasTable())) {
      this.parts.log.warn({ table: OVERLAY_TABLE }, 'our nft table is gone, putting it back');
      this.installed = undefined;
      await this.keepTable(plan);
    }
  }

  /** Forgets what it believes of tunnel and engine, so that the next `apply` compares with what is really there. */
  doubt(): void {
    this.tunnel = '';
    this.engineNetworks = undefined;
    this.mtuBytes = undefined;
  }

  /**
   * Takes everything of the overlay off the host; bridges containers still hang on stay, and are said. What cannot be
   * removed keeps nothing else from being; the first failure is thrown.
   */
  async clear(): Promise<void> {
    const { run } = this.parts;
    this.doubt();
    const parts = [
      () => this.removeTable(),
      () => removeAccepted(run, overlayAccept),
      () => removeAccepted(run, overlayInput),
      () => ensurePeerRoutes(run, []),
      () => this.wireguard.prune(undefined),
      () => removeTunnel(run),
      () => this.dropUnusedBridges([]),
    ];
    const failures: unknown[] = [];
    for (const remove of parts) await remove().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
    this.installed = undefined;
  }

  private async keepTunnel({ tunnel, peers, encryption }: OverlayPlan): Promise<void> {
    if (tunnel === undefined) return;
    const { localAddress, mac, mtuLimitBytes } = tunnel;
    const ownBytes = await this.uplinkMtu(localAddress);
    const wish = { localAddress, mac, mtuBytes: Math.min(ownBytes, mtuLimitBytes ?? ownBytes), peers };
    const wireguard = encryption && { ...encryption, mtuBytes: wish.mtuBytes - encryptionBytes(true) };
    const text = JSON.stringify({ wish, wireguard });
    if (text === this.tunnel) return;
    // A range that changes sides is never without a route: it would leave by the uplink.
    if (wireguard) await this.wireguard.ensure(wireguard);
    await ensureTunnel(this.parts.run, wish);
    await this.wireguard.prune(wireguard);
    await loosenReversePath(this.parts.files, VXLAN_DEVICE);
    await ensurePeerRoutes(this.parts.run, numberedPeers(peers));
    this.tunnel = text;
  }

  /** A device that a program makes goes with that program. */
  private async checkWireguard(plan: OverlayPlan): Promise<void> {
    if (plan.encryption === undefined || (await this.wireguard.exists())) return;
    this.parts.log.warn({ device: WIREGUARD_DEVICE }, 'our WireGuard device is gone, making it again');
    this.tunnel = '';
    await this.keepTunnel(plan);
  }

  private async keepTable(plan: OverlayPlan): Promise<void> {
    const before = this.installed;
    const table = renderOverlayTable(plan.table);
    if (!before) await this.acceptForwarding();
    const change = tableChange(before?.table, table);
    if (change !== '') await this.load(change);
    this.installed = { plan, table };
    if (change === '') return;
    await this.letTasksReachThemselves(plan);
    await this.forgetFlows(before?.plan, plan);
  }

  private async load(change: string): Promise<void> {
    const changes = counterOf(
      this.parts.metrics,
      'plimsoll_overlay_changes_total',
      'Changes of the nft table of the cluster’s networks, by result.',
      ['result'],
    );
    try {
      await runSuccessfully(this.parts.run, 'nft', ['-f', '-'], `${change}\n`);
      changes.inc({ result: 'success' });
    } catch (error) {
      changes.inc({ result: 'failure' });
      // What the kernel has is not what we believed: the next try loads the whole.
      this.installed = undefined;
      throw error;
    }
  }

  private async letTasksReachThemselves({ bridges }: OverlayPlan): Promise<void> {
    for (const { device } of bridges) {
      await ensureHairpin(this.parts.run, device).catch((error: unknown) => {
        this.parts.log.debug({ device, error: messageOf(error) }, 'cannot set hairpin mode on a bridge');
      });
    }
  }

  /** UDP has no end of a connection: a busy client would stay with a task that is gone. */
  private async forgetFlows(before: OverlayPlan | undefined, after: OverlayPlan): Promise<void> {
    for (const flows of staleVirtualFlows(before?.table.services ?? [], after.table.services)) {
      await this.parts.run('conntrack', ['-D', ...flows]).catch((error: unknown) => {
        this.parts.log.debug({ error: messageOf(error) }, 'cannot forget UDP flows');
      });
    }
  }

  private async dropUnusedBridges(wanted: readonly BridgeWish[]): Promise<void> {
    const known = await this.knownNetworks();
    const kept = new Set(wanted.map(({ engineNetwork }) => engineNetwork));
    for (const name of [...known].filter((each) => !kept.has(each))) {
      try {
        await this.parts.networks.remove(name);
        known.delete(name);
      } catch (error) {
        this.parts.log.info({ network: name, error: messageOf(error) }, 'a bridge of a network is still in use');
      }
    }
  }

  private async knownNetworks(): Promise<Set<string>> {
    this.engineNetworks ??= new Set(await this.parts.networks.listOwn(this.parts.clusterId));
    return this.engineNetworks;
  }

  private async uplinkMtu(localAddress: string): Promise<number> {
    this.mtuBytes ??= await tunnelMtuBytes(this.parts.run, localAddress);
    return this.mtuBytes;
  }

  private async acceptForwarding(): Promise<void> {
    const { run } = this.parts;
    if ((await ensureAccepted(run, overlayAccept)) && (await ensureAccepted(run, overlayInput))) return;
    this.parts.log.debug({ chain: 'DOCKER-USER' }, 'Docker has no chain for our rule, nothing to accept');
  }

  private async removeTable(): Promise<void> {
    if (await this.hasTable()) await runSuccessfully(this.parts.run, 'nft', ['-f', '-'], tableRemoval(OVERLAY_TABLE));
  }

  private async hasTable(): Promise<boolean> {
    const listed = await this.parts
      .run('nft', ['list', 'chain', 'ip', OVERLAY_TABLE, 'forward'])
      .catch(() => undefined);
    return listed?.exitCode === 0;
  }

  /** Something an earlier agent left. */
  private async hasLeftovers(): Promise<boolean> {
    return (await this.hasTable()) || (await this.knownNetworks()).size > 0;
  }
}

/** Those that take part in the routing mesh. */
function numberedPeers(peers: readonly Peer[]): NumberedPeer[] {
  return peers.flatMap(({ address, number }) => (number === undefined ? [] : [{ address, number }]));
}
