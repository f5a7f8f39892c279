/**
 * This node's WireGuard key pair: made on first use, kept in the state directory for root alone. The private key never leaves
 * the host; the public one is announced with the node, if the host can have a WireGuard device at all.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { JsonFiles } from '../../../runtime/files.ts';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';

/** Base64, as `wg` writes keys. */
const Key = z.base64().length(44);
const WireguardKeyPair = z.object({ v: z.literal(1), privateKey: Key, publicKey: Key });
type WireguardKeyPair = z.infer<typeof WireguardKeyPair>;

export interface WireguardKeysParts {
  readonly run: CommandRunner;
  readonly files: JsonFiles;
  readonly stateDir: string;
}

export class WireguardKeys {
  private readonly parts: WireguardKeysParts;
  private pair: Promise<WireguardKeyPair> | undefined;
  private announced: Promise<string | undefined> | undefined;

  constructor(parts: WireguardKeysParts) {
    this.parts = parts;
  }

  /** The public key; undefined where the host cannot encrypt. Looked at once: who installs WireGuard starts the agent again. */
  announcedKey(): Promise<string | undefined> {
    this.announced ??= this.keyIfAble();
    return this.announced;
  }

  async privateKey(): Promise<string> {
    return (await this.keyPair()).privateKey;
  }

  private async keyIfAble(): Promise<string | undefined> {
    return (await canHaveDevice(this.parts.run)) ? (await this.keyPair()).publicKey : undefined;
  }

  private keyPair(): Promise<WireguardKeyPair> {
    this.pair ??= this.readOrMake();
    return this.pair;
  }

  private async readOrMake(): Promise<WireguardKeyPair> {
    const { files, stateDir } = this.parts;
    const path = join(stateDir, 'node', 'wireguard.json');
    const stored = await files.read(path);
    if (stored !== undefined) return WireguardKeyPair.parse(stored);
    const made = newKeyPair();
    await files.write(path, made);
    return made;
  }
}

/** WireGuard's keys are X25519's (RFC 7748). */
export function newKeyPair(): WireguardKeyPair {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const base64 = (text = '') => Buffer.from(text, 'base64url').toString('base64');
  return WireguardKeyPair.parse({ v: 1, privateKey: base64(d), publicKey: base64(x) });
}

const TRIAL_DEVICE = 'plim-wg-trial';

/** The kernel makes such a device, or wireguard-go can; and `wg`, which tells either its keys, is there. */
async function canHaveDevice(run: CommandRunner): Promise<boolean> {
  const works = (program: string, ...args: readonly string[]) =>
    run(program, args).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  if (!(await works('wg', '--version'))) return false;
  // Left by an agent that died in between.
  await works('ip', 'link', 'delete', 'dev', TRIAL_DEVICE);
  if (await works('ip', 'link', 'add', 'dev', TRIAL_DEVICE, 'type', 'wireguard')) {
    await runSuccessfully(run, 'ip', ['link', 'delete', 'dev', TRIAL_DEVICE]);
    return true;
  }
  return (await works('wireguard-go', '--version')) && (await works('test', '-c', '/dev/net/tun'));
}
