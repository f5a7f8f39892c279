/** The NATS server of a cluster: a process of its own, started once, found again by its pid file, never our child. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { type Cluster, isLoopback, openCluster, saveCluster } from '../identity/cluster.ts';
import { createClusterKeys, serverTrust } from '../identity/keys.ts';
import { writePrivateFile } from '../identity/user-identity.ts';
import { natsConfigText } from './nats-config.ts';

export interface NatsServerOptions {
  /** The nats-server program, a path or a name on the PATH. */
  readonly executable: string;
}

export interface ProcessCommand {
  readonly file: string;
  readonly args: readonly string[];
}

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 25;

/** Files of the server under `<state-dir>/nats/`. */
export function natsFiles(stateDir: string) {
  const folder = join(stateDir, 'nats');
  return {
    folder,
    config: join(folder, 'nats.conf'),
    pid: join(folder, 'nats.pid'),
    log: join(folder, 'nats.log'),
    store: join(folder, 'store'),
    certificate: join(folder, 'server.pem'),
    key: join(folder, 'server.key'),
  };
}

/** Writes the server's configuration and answers how to run it; a supervisor (systemd, ours) does the rest. */
export async function natsServerCommand(stateDir: string, options: NatsServerOptions): Promise<ProcessCommand> {
  const cluster = openCluster(stateDir);
  requireServing(cluster, 'run a NATS server here');
  await writeNatsConfig(stateDir, cluster);
  return { file: options.executable, args: ['-c', natsFiles(stateDir).config] };
}

/** The pid of the running server of this state directory: the pid file, believed only if that process runs our config. */
export function runningNatsPid(stateDir: string): number | undefined {
  const files = natsFiles(stateDir);
  try {
    const pid = Number(readFileSync(files.pid, 'utf8').trim());
    const isOurs = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(files.config);
    return isOurs ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Makes sure the server runs and answers; one that runs already is adopted. Answers its pid. */
export async function ensureNatsServer(stateDir: string, options: NatsServerOptions, clock: Clock): Promise<number> {
  const cluster = openCluster(stateDir);
  if (!(await adoptNatsServer(stateDir, cluster, clock))) await startNatsServer(stateDir, cluster, options, clock);
  const pid = runningNatsPid(stateDir);
  if (pid !== undefined) return pid;
  const { pid: pidFile } = natsFiles(stateDir);
  throw new PlimsollError(
    'unavailable',
    `The NATS server on port ${cluster.nats.port} answers, but not from ${pidFile}`,
  );
}

/** Waits for the server that runs to answer. False when none runs, or when it ends meanwhile: it had just been killed. */
async function adoptNatsServer(stateDir: string, cluster: Cluster, clock: Clock): Promise<boolean> {
  const runs = () => runningNatsPid(stateDir) !== undefined;
  return runs() && natsServerReady(cluster, clock, READY_TIMEOUT_MS, runs);
}

async function startNatsServer(
  stateDir: string,
  cluster: Cluster,
  options: NatsServerOptions,
  clock: Clock,
): Promise<void> {
  const command = await natsServerCommand(stateDir, options);
  const pid = await spawnDetached(command, natsFiles(stateDir).log);
  try {
    await natsServerReady(cluster, clock, READY_TIMEOUT_MS);
  } catch (error) {
    endQuietly(pid);
    throw error;
  }
}

/** The process may have given up by itself. */
function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

/** Ends the server of this state directory, if it runs: gently, then for good. */
export async function stopNatsServer(stateDir: string, clock: Clock): Promise<void> {
  const pid = runningNatsPid(stateDir);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  const deadlineMs = clock.elapsedMs() + STOP_TIMEOUT_MS;
  while (existsSync(`/proc/${pid}`)) {
    if (clock.elapsedMs() > deadlineMs) process.kill(pid, 'SIGKILL');
    await clock.sleep(POLL_MS);
  }
  rmSync(natsFiles(stateDir).pid, { force: true });
}

/**
 * True as soon as this cluster's own server answers on its port, false as soon as it is not worth waiting for any more;
 * throws `unavailable` when none answers in time, or another does.
 */
export async function natsServerReady(
  cluster: Cluster,
  clock: Clock,
  timeoutMs: number,
  isWorthWaiting: () => boolean = () => true,
): Promise<boolean> {
  const { port, serverName } = cluster.nats;
  const deadlineMs = clock.elapsedMs() + timeoutMs;
  while (clock.elapsedMs() < deadlineMs) {
    const greeting = await greetingOf(port, clock).catch(() => undefined);
    if (greeting?.includes(`"server_name":${JSON.stringify(serverName)}`)) return true;
    if (greeting !== undefined) throw notOurServer(port, 'another server answers there');
    if (!isWorthWaiting()) return false;
    await clock.sleep(POLL_MS);
  }
  throw notOurServer(port, `nothing answers there within ${timeoutMs} ms`);
}

function notOurServer(port: number, found: string): PlimsollError {
  return new PlimsollError('unavailable', `Cannot reach the cluster's NATS server on port ${port}: ${found}`);
}

/** Makes a user's tokens worthless from now on; a connected one is cut off at once. */
export async function revokeUser(stateDir: string, publicKey: string, nowMs: number): Promise<void> {
  const cluster = openCluster(stateDir);
  requireServing(cluster, 'take credentials away here');
  const revokedAtSeconds = { ...cluster.revokedAtSeconds, [publicKey]: Math.ceil(nowMs / 1000) };
  await applyTrust(stateDir, { ...cluster, revokedAtSeconds });
}

/** Makes every join token given out so far worthless; nodes that joined stay. Answers the cluster with its new one. */
export async function rotateJoinToken(stateDir: string): Promise<Cluster> {
  const cluster = openCluster(stateDir);
  requireServing(cluster, 'make a new join token here');
  const changed = { ...cluster, keys: { ...cluster.keys, joinSigningSeed: createClusterKeys().joinSigningSeed } };
  await applyTrust(stateDir, changed);
  return changed;
}

/** What the server believes is decided beside it; a copy of the keys elsewhere would change nothing but itself. */
function requireServing(cluster: Cluster, action: string): void {
  if (cluster.servesNats) return;
  const where = cluster.nats.advertisedHosts.join(', ');
  throw new PlimsollError('precondition', `Cannot ${action}: this cluster's NATS server runs on ${where}`);
}

/** Saves what the cluster trusts and has the running server read it. */
async function applyTrust(stateDir: string, cluster: Cluster): Promise<void> {
  saveCluster(stateDir, cluster);
  await writeNatsConfig(stateDir, cluster);
  const pid = runningNatsPid(stateDir);
  if (pid !== undefined) process.kill(pid, 'SIGHUP');
}

async function writeNatsConfig(stateDir: string, cluster: Cluster): Promise<void> {
  const files = natsFiles(stateDir);
  const { serverName, listenHost, port } = cluster.nats;
  const usesTls = !isLoopback(listenHost);
  mkdirSync(files.store, { recursive: true, mode: 0o700 });
  if (usesTls) {
    // The authority travels along, so that a joining host can compare it with the fingerprint in its token.
    const chain = [cluster.serverCertificate.certificatePem, cluster.authority.certificatePem].join('\n');
    writePrivateFile(files.certificate, `${chain}\n`);
    writePrivateFile(files.key, `${cluster.serverCertificate.privateKeyPem}\n`);
  }
  const text = natsConfigText({
    serverName,
    listenHost,
    port,
    storeDir: files.store,
    pidFile: files.pid,
    trust: await serverTrust(cluster.keys, cluster.operatorJwt, cluster.revokedAtSeconds),
    tls: usesTls ? { certificateFile: files.certificate, keyFile: files.key } : undefined,
  });
  writePrivateFile(files.config, text);
}

function spawnDetached(command: ProcessCommand, logFile: string): Promise<number> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(command.file, [...command.args], { detached: true, stdio: ['ignore', log, log] });
  return new Promise((resolve, reject) => {
    child.once('spawn', () => {
      child.unref();
      if (child.pid !== undefined) resolve(child.pid);
    });
    child.once('error', (error) =>
      reject(new PlimsollError('unavailable', `Cannot start ${command.file}: ${error.message}`, { cause: error })),
    );
  });
}

/** The first line a NATS server sends: its INFO, with its name. */
function greetingOf(port: number, clock: Clock): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  const line = new Promise<string>((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (part) => {
      text += part;
      if (text.includes('\r\n')) resolve(text);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed before it said anything')));
  });
  const timeout = () => new PlimsollError('timeout', `No greeting on port ${port}`);
  return withDeadline(clock, 1_000, line, timeout).finally(() => socket.destroy());
}
