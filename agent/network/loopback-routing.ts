/**
 * `curl localhost:PORT` reaches a container only if the kernel may route 127.0.0.0/8 out of the container's bridge
 * (`route_localnet`). Switched on per bridge; which ones were ours is remembered in the nft table itself, so that a
 * later process can switch them off again.
 */
import type { CommandRunner } from './command-runner.ts';
import { INGRESS_TABLE, LOOPBACK_DEVICES_SET } from './ingress-table.ts';

/** Files below /proc of this process's network namespace. */
export interface ProcFiles {
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
}

export class LoopbackRouting {
  private readonly files: ProcFiles;
  private readonly run: CommandRunner;
  private ours: Set<string> | undefined;

  constructor(files: ProcFiles, run: CommandRunner) {
    this.files = files;
    this.run = run;
  }

  /** The devices that are, or have to be, switched on by us: all of ours and those of `devices` still off. */
  async devicesToSwitch(devices: readonly string[]): Promise<string[]> {
    const ours = await this.recall();
    for (const device of new Set([...ours, ...devices])) {
      const state = await this.stateOf(device);
      if (state === '0') ours.add(device);
      if (state === undefined) ours.delete(device);
    }
    return [...ours].sort();
  }

  async switchOn(devices: readonly string[]): Promise<void> {
    for (const device of devices) {
      if ((await this.stateOf(device)) === '0') await this.files.write(switchOf(device), '1');
    }
  }

  /** Switches off what we switched on; a device that is gone took its switch along. */
  async restore(): Promise<void> {
    for (const device of await this.recall()) await this.files.write(switchOf(device), '0').catch(() => undefined);
    this.ours = new Set();
  }

  /** Undefined when there is no such device (any more). */
  private async stateOf(device: string): Promise<string | undefined> {
    const text = await this.files.read(switchOf(device)).catch(() => undefined);
    return text?.trim();
  }

  /** No table, or no nft at all: nothing of ours. */
  private async recall(): Promise<Set<string>> {
    if (this.ours) return this.ours;
    const listing = await this.run('nft', ['list', 'set', 'ip', INGRESS_TABLE, LOOPBACK_DEVICES_SET]).catch(
      () => undefined,
    );
    const listed = listing?.exitCode === 0 ? (/elements = \{([^}]*)\}/.exec(listing.stdout)?.[1] ?? '') : '';
    this.ours = new Set([...listed.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ''));
    return this.ours;
  }
}

function switchOf(device: string): string {
  return `/proc/sys/net/ipv4/conf/${device}/route_localnet`;
}
