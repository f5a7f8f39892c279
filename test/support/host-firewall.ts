/**
 * The firewalls of Debian hosts, ufw and firewalld, as they are packaged, in a network namespace: a mount namespace of its own has
 * their packages laid over /usr and /etc, so that nothing is installed here and nothing of this machine's is changed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';
import { eventually } from './eventually.ts';
import { shell } from './network-namespace.ts';

/** A bus that lets everybody do everything: there are only firewalld and its tests on it. */
const busConfiguration = `<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
<auth>EXTERNAL</auth><policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>`;

/** ufw's package makes its files in /etc when it is set up. */
const overlayScript = `
  mount --make-rprivate /
  mount -t tmpfs tmpfs $1/layers
  for top in etc usr; do
    mkdir -p $1/layers/$top/upper $1/layers/$top/work
    mount -t overlay overlay -o lowerdir=$(ls -d $2/*/$top | paste -sd:):/$top,upperdir=$1/layers/$top/upper,workdir=$1/layers/$top/work /$top
  done
  mkdir -p /lib/ufw; cp -a $2/ufw/lib/ufw/. /lib/ufw/
  cp /usr/share/ufw/ufw.conf /usr/share/ufw/*.init /usr/share/ufw/iptables/*.rules /etc/ufw/
  mount -t tmpfs tmpfs /run; mkdir -p /run/dbus /run/lock
  mount -t tmpfs tmpfs /var/log
  cp $1/bus.conf /run/bus.conf
  echo up
  exec cat`;

/** The directory the packages are unpacked in; undefined where they cannot be had, or their Python parts are missing. */
export async function firewallPackages(): Promise<string | undefined> {
  const scripts = join(packageRoot(), 'scripts', 'install.d');
  const script = `for part in ${scripts}/*.sh; do . "$part"; done; ensure_firewalls`;
  const path = await shell(
    `bash -euc '${script}' && /usr/bin/python3 -c 'import gi, dbus' && command -v dbus-daemon >/dev/null`,
  ).catch(() => '');
  return path.trim() === '' ? undefined : path.trim();
}

export class HostFirewall {
  private readonly namespace: string;
  private readonly packages: string;
  private directory = '';
  /** Holds the mount namespace. */
  private holder: ChildProcess | undefined;
  private readonly daemons: ChildProcess[] = [];

  /** `namespace`: the name of the host's network namespace. */
  constructor(namespace: string, packages: string) {
    this.namespace = namespace;
    this.packages = packages;
  }

  async build(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), 'plimsoll-firewall-'));
    await mkdir(join(this.directory, 'layers'));
    await writeFile(join(this.directory, 'bus.conf'), busConfiguration);
    const words = ['unshare', '--mount', 'sh', '-ec', overlayScript, 'sh', this.directory, this.packages];
    this.holder = spawn('nsenter', [`--net=/run/netns/${this.namespace}`, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await Promise.race([once(this.holder.stdout ?? this.holder, 'data'), once(this.holder, 'exit')]);
  }

  /** A command in the host, with these programs. */
  run(script: string): Promise<string> {
    return shell(`nsenter ${this.enter().join(' ')} sh -ec '${script}'`);
  }

  async startFirewalld(): Promise<void> {
    this.daemon('dbus-daemon', '--config-file=/run/bus.conf', '--nofork', '--nopidfile');
    await eventually(() => this.run('test -S /run/dbus/system_bus_socket && echo yes'), {
      timeoutMs: 60_000,
      what: 'the bus',
    });
    this.daemon('firewalld', '--nofork', '--nopid');
    await eventually(async () => /chain filter_INPUT/.test(await this.firewalldTable()), {
      timeoutMs: 60_000,
      intervalMs: 100,
      what: 'firewalld to have its table',
    });
  }

  /** As `systemctl reload firewalld` does it: what is not in its configuration is gone then. */
  async reloadFirewalld(): Promise<void> {
    await this.run('nft add chain inet firewalld before_reload');
    this.daemons.at(-1)?.kill('SIGHUP');
    const isNew = async () =>
      /chain filter_INPUT/.test(await this.firewalldTable()) && !/before_reload/.test(await this.firewalldTable());
    await eventually(isNew, { timeoutMs: 60_000, intervalMs: 100, what: 'firewalld to load its table anew' });
  }

  async stopFirewalld(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) {
      const ended = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await ended;
    }
    await this.run('nft delete table inet firewalld 2>/dev/null || true; rm -f /run/dbus/*');
  }

  async destroy(): Promise<void> {
    if (this.daemons.length > 0) await this.stopFirewalld();
    this.holder?.kill('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Empty while there is none. */
  private firewalldTable(): Promise<string> {
    return this.run('nft list table inet firewalld').catch(() => '');
  }

  private daemon(program: string, ...args: readonly string[]): void {
    this.daemons.push(spawn('nsenter', [...this.enter(), program, ...args], { stdio: 'ignore' }));
  }

  private enter(): string[] {
    const { pid } = this.holder ?? {};
    return [`--mount=/proc/${pid}/ns/mnt`, `--net=/run/netns/${this.namespace}`];
  }
}
