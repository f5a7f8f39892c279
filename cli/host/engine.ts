/** The host's own Docker Engine: is there one, and starting one where there is none. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import type { Unit } from '../supervise/unit.ts';
import { engineUnits } from './units.ts';

/** Undefined when the engine at `url` answers; else why it does not. */
export async function engineProblem(url: string): Promise<string | undefined> {
  if (!url.startsWith('unix://')) return undefined;
  try {
    const { status } = await createApiClient(socketPathOf(url)).status('/_ping');
    return status === 200 ? undefined : `it answers its ping with ${status}`;
  } catch (error) {
    return messageOf(error instanceof Error && error.cause ? error.cause : error);
  }
}

export function socketPathOf(url: string): string {
  if (!url.startsWith('unix:///')) {
    throw new PlimsollError('invalid', `Cannot use ${url} as this host's engine: wanted is unix:///path/of/a/socket`);
  }
  return url.slice('unix://'.length);
}

export interface EnginePlace {
  readonly stateDir: string;
  /** The coordinator's; the engine's own sockets and namespaces lie beside it. */
  readonly socket: string;
}

/** Where an engine of our own keeps what need not survive a boot. */
export function engineRunDir(socket: string): string {
  return join(dirname(socket), 'engine');
}

/** The units of an engine of our own at `url`; writes their configuration. */
export function prepareEngine(url: string, { stateDir, socket }: EnginePlace, dockerdArgs: readonly string[]): Unit[] {
  const directory = join(stateDir, 'engine');
  const runDir = engineRunDir(socket);
  const socketPath = socketPathOf(url);
  for (const path of [directory, runDir, dirname(socketPath)]) mkdirSync(path, { recursive: true });
  // Kubernetes' door into containerd would listen for nothing.
  writeFileSync(join(directory, 'containerd.toml'), 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const [dockerd, containerd] = [findProgram('dockerd', 'docker.io'), findProgram('containerd', 'containerd')];
  const ownData = ['--data-root', join(directory, 'docker'), ...dockerdArgs];
  return engineUnits({ socketPath, directory, runDir, dockerd, containerd, dockerdArgs: ownData });
}

/** The absolute path of a program: of that file, or of the first with this name on the PATH. */
export function findProgram(program: string, debianPackage: string): string {
  const found = locateProgram(program);
  if (found) return found;
  const where = program.includes('/') ? 'there' : 'on the PATH';
  throw new PlimsollError(
    'unavailable',
    `Cannot find ${program}: it is not ${where}. Install it (Debian: ${debianPackage}) and try again`,
  );
}

/** As `findProgram`; undefined when there is none. */
export function locateProgram(program: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const candidates = program.includes('/') ? [resolve(program)] : directories.map((each) => join(each, program));
  return candidates.find((path) => existsSync(path));
}
