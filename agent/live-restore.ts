/**
 * Sees to it that containers outlive their engine: without "live-restore" a dockerd that is killed stops all containers
 * when it starts again. Switched on where the engine is this host's own and is not told otherwise by flags.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { readDaemonConfig } from './engine/docker-config-file.ts';
import type { Engine } from './engine/engine.ts';

const PID_FILE = '/var/run/docker.pid';
const OWN_SOCKETS = ['unix:///var/run/docker.sock', 'unix:///run/docker.sock'];

export interface LiveRestoreParts {
  readonly engine: Engine;
  /** The engine's address. */
  readonly docker: string;
  readonly configFile: string;
  readonly log: Log;
}

/** Switches live-restore on where that can be done, and says so; else says why not. Never throws. */
export async function ensureLiveRestore(parts: LiveRestoreParts): Promise<void> {
  try {
    if ((await parts.engine.describe()).liveRestore) return;
    const obstacle = await whyNot(parts);
    if (obstacle) return parts.log.warn({ obstacle }, 'live-restore is off: containers stop when dockerd is restarted');
    await switchOn(parts.configFile);
    parts.log.info({ file: parts.configFile }, 'switched on live-restore: containers now outlive dockerd');
  } catch (error) {
    parts.log.warn(
      { error: messageOf(error) },
      'cannot switch on live-restore: containers stop when dockerd is restarted',
    );
  }
}

async function whyNot({ docker, configFile }: LiveRestoreParts): Promise<string | undefined> {
  if (!OWN_SOCKETS.includes(docker)) return `the engine at ${docker} is not this host's own`;
  const config = await readDaemonConfig(configFile);
  if (config['live-restore'] === false) return `"live-restore": false is set in ${configFile}`;
  const args = (await readFile(`/proc/${await dockerdPid()}/cmdline`, 'utf8')).split('\0');
  if (args.some((arg) => arg.startsWith('--live-restore'))) return 'dockerd is started with a --live-restore flag';
  const other = args.findIndex((arg) => arg.startsWith('--config-file'));
  if (
    other >= 0 &&
    !args
      .slice(other, other + 2)
      .join('=')
      .includes(configFile)
  )
    return 'dockerd reads another file';
  return undefined;
}

/** Keeps everything else in the file; dockerd re-reads it on SIGHUP. */
async function switchOn(configFile: string): Promise<void> {
  const config = await readDaemonConfig(configFile);
  const mode = await stat(configFile).then(
    (file) => file.mode,
    () => 0o644,
  );
  const draft = `${configFile}.plimsoll`;
  await writeFile(draft, `${JSON.stringify({ ...config, 'live-restore': true }, undefined, 2)}\n`, {
    mode,
    flush: true,
  });
  await rename(draft, configFile);
  process.kill(await dockerdPid(), 'SIGHUP');
}

async function dockerdPid(): Promise<number> {
  const pid = Number.parseInt(await readFile(PID_FILE, 'utf8'), 10);
  const name = await readFile(`/proc/${pid}/comm`, 'utf8');
  if (name.trim() === 'dockerd') return pid;
  throw new PlimsollError('precondition', `${PID_FILE} names process ${pid}, which is no dockerd`);
}
