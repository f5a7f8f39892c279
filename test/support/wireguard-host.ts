/**
 * WireGuard of a host that is a network namespace: keys, and `wg` and `wireguard-go`, whose sockets lie under the device's name in
 * one folder for the whole machine; every such host gets a folder of its own in its place.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandRunner } from '../../agent/network/command-runner.ts';
import { newKeyPair } from '../../agent/network/wireguard/wireguard-keys.ts';
import { WIREGUARD_DEVICE } from '../../agent/network/wireguard/wireguard-names.ts';
import { runnerIn } from './network-namespace.ts';

const SOCKETS = '/run/wireguard';
const ownSockets = ['sh', 'wg', 'wireguard-go'];
const withOwnSockets = `mount --bind "$1" ${SOCKETS}; shift; exec "$@"`;

/** What this machine lacks to encrypt, for people; scripts/test installs it. */
export function missingForWireguard(): string[] {
  const checks: [what: string, isThere: boolean][] = [
    ['root', process.getuid?.() === 0],
    ['wg (Debian: wireguard-tools)', succeeds('wg')],
    ['wireguard-go', succeeds('wireguard-go')],
    ['/dev/net/tun', existsSync('/dev/net/tun')],
  ];
  return checks.filter(([, isThere]) => !isThere).map(([what]) => what);
}

function succeeds(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

export class WireguardHost {
  readonly keys = newKeyPair();
  private readonly namespace: string;
  private readonly sockets: string;

  private constructor(namespace: string, sockets: string) {
    this.namespace = namespace;
    this.sockets = sockets;
  }

  static async create(namespace: string): Promise<WireguardHost> {
    await mkdir(SOCKETS, { recursive: true });
    return new WireguardHost(namespace, await mkdtemp(join(tmpdir(), 'plimsoll-wireguard-')));
  }

  /** Runs programs of this host. */
  readonly run: CommandRunner = (program, args, stdin) => {
    const run = runnerIn(this.namespace);
    if (!ownSockets.includes(program)) return run(program, args, stdin);
    return run('unshare', ['--mount', 'sh', '-ec', withOwnSockets, 'sh', this.sockets, program, ...args], stdin);
  };

  /** wireguard-go ends with its device. */
  async destroy(): Promise<void> {
    await this.run('ip', ['link', 'delete', 'dev', WIREGUARD_DEVICE]);
    await rm(this.sockets, { recursive: true, force: true });
  }
}
