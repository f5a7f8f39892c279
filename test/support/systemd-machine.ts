/**
 * A real systemd as process 1 of namespaces of its own: for what is done with its units. Its /etc/systemd/system, /run and /var/lib
 * are empty, of Debian's own units it has a few targets, and it is on no network.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';

const execute = promisify(execFile);
const SYSTEMD = '/lib/systemd/systemd';
const targets = ['sysinit', 'basic', 'multi-user', 'network-online', 'shutdown'];
const BOOT_MS = 60_000;
const COMMAND_MS = 120_000;

/** Of systemd's own hierarchy where cgroups are v1 or both, else of the one there is. */
const mountGroups = `
  mount -t tmpfs tmpfs /sys/fs/cgroup
  if grep -q name=systemd /proc/self/cgroup
  then groups=/sys/fs/cgroup/systemd; mkdir "$groups"; mount -t cgroup -o none,name=systemd cgroup "$groups"
  else groups=/sys/fs/cgroup; mount -t cgroup2 cgroup2 "$groups"
  fi`;

/** Mounts taken away elsewhere go here too: others' tests must not find theirs busy. */
const enter = `
  mount --make-rslave /
  ${mountGroups}
  mkdir "$groups/$1"
  echo $$ > "$groups/$1/cgroup.procs"
  exec unshare --cgroup --mount --propagation unchanged --pid --fork --kill-child bash -euc "$0" "$2"`;

const boot = `
  umount -R /sys/fs/cgroup
  ${mountGroups}
  mount -t proc proc /proc
  mount --bind "$0/units" /lib/systemd/system
  mount --bind "$0/empty" /lib/systemd/system-generators
  for path in /etc/systemd/system /run /var/lib; do mount -t tmpfs tmpfs "$path"; done
  ip link set lo up
  exec env container=plimsoll-test ${SYSTEMD} --system --unit=multi-user.target --log-target=null --show-status=0`;

const leave = `
  ${mountGroups}
  if [ -d "$groups/$0" ]; then find "$groups/$0" -depth -type d -exec rmdir {} ';'; fi`;

/** What this machine lacks to boot one; undefined when it can. */
export function missingForSystemd(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  return existsSync(SYSTEMD) ? undefined : `${SYSTEMD} (Debian: systemd)`;
}

export class SystemdMachine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'plimsoll-systemd-'));
  private readonly group = `plimsoll-test-${process.pid}`;
  private holder: ChildProcess | undefined;
  private pid = 0;
  private complaints = '';

  /** Resolves when it has started what it starts. */
  async boot(): Promise<void> {
    const units = join(this.folder, 'units');
    for (const path of [units, join(this.folder, 'empty')]) mkdirSync(path);
    for (const name of targets) copyFileSync(`/lib/systemd/system/${name}.target`, join(units, `${name}.target`));
    const words = ['--mount', '--net', '--uts', '--ipc', '--', 'bash', '-euc', enter, boot, this.group, this.folder];
    this.holder = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.holder.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints += text;
    });
    await this.waitFor('systemd to be process 1', async () => {
      this.pid = firstChild(this.holder?.pid ?? 0);
      return readFileSync(`/proc/${this.pid}/comm`, 'utf8').trim() === 'systemd';
    });
    await this.waitFor('systemd to be up', async () => {
      return (await this.run('systemctl', 'is-active', 'multi-user.target')).trim() === 'active';
    });
  }

  /** A command in it: its output. Throws when it fails, with what it says. */
  async run(...words: readonly string[]): Promise<string> {
    const place = ['--target', String(this.pid), '--mount', '--net', '--uts', '--ipc', '--pid', '--cgroup'];
    const options = { timeout: COMMAND_MS, killSignal: 'SIGKILL' } as const;
    return (await execute('nsenter', [...place, ...words], options)).stdout;
  }

  async stop(): Promise<void> {
    const { holder } = this;
    if (holder && holder.exitCode === null && holder.signalCode === null) {
      const ended = once(holder, 'exit');
      // With process 1 everything in its namespace ends.
      if (this.pid > 0) process.kill(this.pid, 'SIGKILL');
      else holder.kill('SIGKILL');
      await ended;
    }
    const remove = () => execute('unshare', ['--mount', 'bash', '-euc', leave, this.group]);
    await this.waitFor('its control groups to be empty', async () => (await remove()).stderr === '');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
    try {
      await eventually(condition, { timeoutMs: BOOT_MS, intervalMs: 50, what });
    } catch (error) {
      throw new Error(`No systemd: ${this.complaints}`, { cause: error });
    }
  }
}

function firstChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
}
