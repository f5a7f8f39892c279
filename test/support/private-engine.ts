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
  /** Words that put a program into the engine's namespaces. */
  private readonly enter: string[];
  private containerd: ChildProcess | undefined;
  private dockerd: ChildProcess | undefined;

  constructor(dir: string, { liveRestore = true, release = 'machine' }: PrivateEngineOptions) {
    this.dir = dir;
    this.liveRestore = liveRestore;
    this.isModern = release === 'modern';
    this.namespace = dir.slice(dir.lastIndexOf('/') + 1);
    this.enter = [`--net=/run/netns/${this.namespace}`];
    this.address = `unix://${join(dir, 'docker.sock')}`;
  }

  async start(): Promise<void> {
    await shell(`ip netns add ${this.namespace}; ip -n ${this.namespace} link set lo up`);
    if (this.isModern) this.enter.push(`--mount=${await makeModernRoot(this.dir)}`);
    await writeFile(join(this.dir, 'daemon.json'), '{}');
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

  async stop(): Promise<void> {
    if (this.dockerd && this.dockerd.exitCode === null && this.dockerd.signalCode === null) {
      const ids = (await this.docker('ps', '-aq').catch(() => '')).split('\n').filter(Boolean);
      if (ids.length > 0) await this.docker('rm', '-f', ...ids).catch(() => '');
    }
    await end(this.dockerd, 'SIGTERM');
    await end(this.containerd, 'SIGTERM');
    if (this.isModern) await removeModernRoot(this.dir);
    await shell(`
      awk '{ print $2 }' /proc/mounts | grep '^${this.dir}' | sort -r | xargs -r umount -l || true
      ip netns del ${this.namespace} || true
      find /sys/fs/cgroup -depth -type d -path '*/${this.namespace}*' -exec rmdir {} + || true
    `);
    await rm(this.dir, { recursive: true, force: true });
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

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
