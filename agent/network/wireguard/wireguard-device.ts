/** Keeps the WireGuard device of this host as it should be. The kernel makes it; where that cannot, wireguard-go does. */
import { PlimsollError } from '../../../runtime/errors.ts';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';
import type { ProcFiles } from '../loopback-routing.ts';
import { loosenReversePath } from '../overlay/tunnel.ts';
import { WIREGUARD_DEVICE } from './wireguard-names.ts';
import { planWireguard, type WireguardListing, type WireguardWish, wireguardSettings } from './wireguard-plan.ts';

/** `wg` opens what it reads by name, which our end of its standard input, a socket, does not allow. The key is on no disk. */
const takeSettings = `cat | wg syncconf ${WIREGUARD_DEVICE} /dev/stdin`;

export interface WireguardDeviceParts {
  readonly run: CommandRunner;
  readonly files: ProcFiles;
  /** Absent: this host encrypts nothing, but may have to take away what an earlier agent left. */
  readonly privateKey?: (() => Promise<string>) | undefined;
}

export class WireguardDevice {
  private readonly parts: WireguardDeviceParts;

  constructor(parts: WireguardDeviceParts) {
    this.parts = parts;
  }

  /** Device, peers and routes are there afterwards; what is too much stays until `prune`. Keys of open connections stay. */
  async ensure(wish: WireguardWish): Promise<void> {
    const { run, files, privateKey } = this.parts;
    if (!privateKey) throw new PlimsollError('precondition', 'Cannot encrypt: this host has no WireGuard key');
    if (!(await this.exists())) await this.make();
    const settings = wireguardSettings(await privateKey(), wish.peers);
    await runSuccessfully(run, 'sh', ['-c', takeSettings], settings);
    await this.change(planWireguard(wish, await this.listing()).add);
    await loosenReversePath(files, WIREGUARD_DEVICE);
  }

  /** Takes away what the wish has not; all of it where there is none. Nothing is there without a device, but rules may be. */
  async prune(wish: WireguardWish | undefined): Promise<void> {
    await this.change(planWireguard(wish, await this.listing()).remove);
    if (wish === undefined && (await this.exists())) {
      await runSuccessfully(this.parts.run, 'ip', ['link', 'delete', 'dev', WIREGUARD_DEVICE]);
    }
  }

  async exists(): Promise<boolean> {
    return (await this.parts.run('ip', ['link', 'show', 'dev', WIREGUARD_DEVICE])).exitCode === 0;
  }

  private async make(): Promise<void> {
    const { run } = this.parts;
    const made = await run('ip', ['link', 'add', 'dev', WIREGUARD_DEVICE, 'type', 'wireguard']);
    if (made.exitCode !== 0) await runSuccessfully(run, 'wireguard-go', [WIREGUARD_DEVICE]);
  }

  private async change(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await runSuccessfully(this.parts.run, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`);
  }

  private async listing(): Promise<WireguardListing> {
    const { run } = this.parts;
    const rules = await runSuccessfully(run, 'ip', ['-4', '-json', 'rule', 'show']);
    const routes = await run('ip', ['-4', '-json', 'route', 'show', 'table', 'all', 'dev', WIREGUARD_DEVICE]);
    return { rules, routes: routes.exitCode === 0 ? routes.stdout : '' };
  }
}
