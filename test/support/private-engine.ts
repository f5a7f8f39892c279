/**
 * A Docker Engine of the test's own: containerd and dockerd in a network namespace, with every directory in a temporary
 * one. Its image `plimsoll/test:1` is a busybox.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { makeModernRoot, removeModernRoot } from './modern-root.ts';
import { shell } from './network-namespace.ts';

const run = promisify(execFile);
const APPLETS = ['sh', 'sleep', 'echo', 'true', 'false', 'cat', 'nc', 'httpd', 'test', 'touch', 'kill', 'env', 'rm'];

/** How long a part may take to end; all of it within what a test's clean-up may take. */
const END_LIMIT_MS = 10_000;

export const testImage = 'plimsoll/test:1';

export interface PrivateEngine {
  /** unix:///path */
  readonly address: string;
  /** Runs the docker CLI on it and answers what it printed. */
  docker(...args: string[]): Promise<string>;
  /** SIGKILL to dockerd alone. */
  killDockerd(): Promise<void>;
  startDockerd(): Promise<void>;
  /** A signal to dockerd alone: SIGSTOP, SIGCONT. */
  signalDockerd(signal: NodeJS.Signals): void;
  freezeDockerd(): Promise<void>;
  stop(): Promise<void>;
}

export interface PrivateEngineOptions {
  /** Keeps containers while dockerd is away; default true. */
  readonly liveRestore?: boolean;
  /** The machine's own engine (the default), or the newer one of the lab's modern hosts. */
  readonly release?: 'machine' | 'modern';
  /** Who keeps images and layers: Docker itself (the default), or containerd, as a modern engine may. */
  readonly imageStore?: 'docker' | 'containerd';
}

/** Starts an engine that has `testImage`. */
export async function startPrivateEngine(options: PrivateEngineOptions = {}): Promise<PrivateEngine> {
  const engine = new Engine(await mkdtemp(join(tmpdir(), 'plimsoll-engine-')), options);
  try {
    await engine.start();
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

class Engine implements PrivateEngine {
  readonly address: string;
  private readonly dir: string;
  private readonly namespace: string;
  private readonly liveRestore: boolean;
  private readonly isModern: boolean;
  private readonly features: Readonly<Record<string, boolean>>;
  /** Words that put a program into the engine's namespaces. */
  private readonly enter: string[];
  private containerd: ChildProcess | undefined;
  private dockerd: ChildProcess | undefined;

  constructor(dir: string, { liveRestore = true, release = 'machine', imageStore = 'docker' }: PrivateEngineOptions) {
    this.dir = dir;
    this.liveRestore = liveRestore;
    this.isModern = release === 'modern';
    this.features = imageStore === 'containerd' ? { 'containerd-snapshotter': true } : {};
    this.namespace = dir.slice(dir.lastIndexOf('/') + 1);
    this.enter = [`--net=/run/netns/${this.namespace}`];
    this.address = `unix://${join(dir, 'docker.sock')}`;
  }

  async start(): Promise<void> {
    await shell(`ip netns add ${this.namespace}; ip -n ${this.namespace} link set lo up`);
    if (this.isModern) this.enter.push(`--mount=${await makeModernRoot(this.dir)}`);
    const resources = { 'node-generic-resources': ['gpu=2', 'licence=L2', 'licence=L1'] };
    const features = Object.keys(this.features).length > 0 ? { features: this.features } : {};
    await writeFile(join(this.dir, 'daemon.json'), JSON.stringify({ ...resources, ...features }));
    await writeFile(
      join(this.dir, 'containerd.toml'),
      'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]\n',
    );
    this.containerd = this.spawn('containerd', [
      `--config=${join(this.dir, 'containerd.toml')}`,
      `--address=${this.containerdSocket}`,
      `--root=${join(this.dir, 'containerd')}`,
      `--state=${join(this.dir, 'containerd-state')}`,
    ]);
    await eventually(() => shell(`test -S ${this.containerdSocket} && echo yes`), { what: 'containerd listens' });
    await this.startDockerd();
    await this.importImage();
  }

  async startDockerd(): Promise<void> {
    await rm(join(this.dir, 'docker.pid'), { force: true });
    this.dockerd = this.spawn('dockerd', [
      `--config-file=${join(this.dir, 'daemon.json')}`,
      `--host=${this.address}`,
      `--containerd=${this.containerdSocket}`,
      `--data-root=${join(this.dir, 'data')}`,
      `--exec-root=${join(this.dir, 'exec')}`,
      `--pidfile=${join(this.dir, 'docker.pid')}`,
      `--cgroup-parent=/${this.namespace}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      ...(this.liveRestore ? ['--live-restore'] : []),
    ]);
    await eventually(() => this.docker('version'), { timeoutMs: 30_000, what: 'dockerd answers' });
  }

  async killDockerd(): Promise<void> {
    await end(this.dockerd, 'SIGKILL');
  }

  signalDockerd(signal: NodeJS.Signals): void {
    this.dockerd?.kill(signal);
  }

  /** SIGSTOP, and until it has stopped: a last answer may go out meanwhile. */
  async freezeDockerd(): Promise<void> {
    this.signalDockerd('SIGSTOP');
    const state = () => / (\w) /.exec(readFileSync(`/proc/${this.dockerd?.pid}/stat`, 'utf8'))?.[1];
    await eventually(() => state() === 'T', { what: 'dockerd to have stopped' });
  }

  async docker(...args: string[]): Promise<string> {
    return (await run('docker', ['--host', this.address, ...args])).stdout.trim();
  }

  /** Takes down whatever there is, also of an engine that is frozen, hangs or never came up. */
  async stop(): Promise<void> {
    if (isRunning(this.dockerd)) {
      this.signalDockerd('SIGCONT');
      await this.removeContainers().catch(() => undefined);
    }
    await end(this.dockerd, 'SIGTERM');
    await end(this.containerd, 'SIGTERM');
    await this.killLeftovers();
    if (this.isModern) await removeModernRoot(this.dir);
    await shell(`
      awk '{ print $2 }' /proc/mounts | grep '^${this.dir}' | sort -r | xargs -r umount -l || true
      ip netns del ${this.namespace} || true
    `);
    await this.removeCgroups();
    await rm(this.dir, { recursive: true, force: true });
  }

  private async removeContainers(): Promise<void> {
    const docker = (...args: string[]) =>
      run('docker', ['--host', this.address, ...args], { timeout: END_LIMIT_MS, killSignal: 'SIGKILL' });
    const ids = (await docker('ps', '-aq')).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await docker('rm', '-f', ...ids);
  }

  /** Shims name the engine's directory on their command line; what ran in containers is in its cgroups. */
  private async killLeftovers(): Promise<void> {
    await shell(`
      for each in /proc/[0-9]*; do
        if tr '\\0' ' ' <"$each/cmdline" 2>/dev/null | grep -q '^[^ ]*containerd-shim.*${this.dir}/' ||
          grep -q '/${this.namespace}/' "$each/cgroup" 2>/dev/null
        then kill -KILL "\${each#/proc/}" 2>/dev/null || true; fi
      done
    `);
  }

  /** In every hierarchy. A cgroup is busy until its last process has been reaped. */
  private async removeCgroups(): Promise<void> {
    const remaining = `find /sys/fs/cgroup -depth -type d -path '*/${this.namespace}*'`;
    await eventually(
      async () => (await shell(`${remaining} -exec rmdir {} + 2>/dev/null; ${remaining}`)).trim() === '',
      {
        timeoutMs: END_LIMIT_MS,
        what: 'the cgroups of the engine are gone',
      },
    ).catch(() => undefined);
  }

  private get containerdSocket(): string {
    return join(this.dir, 'containerd.sock');
  }

  private spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn('nsenter', [...this.enter, '--', program, ...args], { stdio: 'ignore', detached: true });
  }

  private async importImage(): Promise<void> {
    const root = join(this.dir, 'image');
    await mkdir(join(root, 'bin'), { recursive: true });
    await mkdir(join(root, 'tmp'));
    await copyFile('/bin/busybox', join(root, 'bin', 'busybox'));
    for (const applet of APPLETS) await symlink('busybox', join(root, 'bin', applet));
    await run('tar', ['-C', root, '-cf', join(this.dir, 'image.tar'), '.']);
    await this.docker('import', join(this.dir, 'image.tar'), testImage);
  }
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

/** One that does not heed the signal is killed. */
async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const killing = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
  await ended;
  clearTimeout(killing);
}
