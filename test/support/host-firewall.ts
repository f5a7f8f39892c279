/**
 * The firewalls of Debian hosts, ufw and firewalld, as they are packaged, in a network namespace: a mount namespace of its own has
 * their packages laid over /usr and /etc, so that nothing is installed here and nothing of this machine's is changed.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';

/** ufw and firewalld are Python programs that run dozens of others: seconds, on a machine that does much else. */
const COMMAND_TIMEOUT_MS = 60_000;

const execute = promisify(execFile);

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

/** Where `ensure_firewalls` of scripts/install.d unpacks the packages. */
export const firewallPackages = join(process.env['PLIMSOLL_CACHE_DIR'] ?? '/var/cache/plimsoll', 'firewalls');

/** What this machine lacks to run firewalls, for people; none when they can be tested. scripts/test installs all of it. */
export function missingForFirewalls(): string[] {
  const unpacked = ['ufw', 'firewalld', 'python3-firewall', 'python3-nftables'].map((name) =>
    join(firewallPackages, name),
  );
  const checks: [what: string, isThere: boolean][] = [
    ['root', process.getuid?.() === 0],
    ['dbus-daemon (Debian: dbus)', succeeds('dbus-daemon', '--version')],
    ['gi and dbus of Python (Debian: python3-gi, python3-dbus)', succeeds('/usr/bin/python3', '-c', 'import gi, dbus')],
    ...unpacked.map((path): [string, boolean] => [path, existsSync(path)]),
  ];
  return checks.filter(([, isThere]) => !isThere).map(([what]) => what);
}

function succeeds(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore', timeout: COMMAND_TIMEOUT_MS }).status === 0;
}

/** Also one that has ended already. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
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

  /** Throws when the packages cannot be laid over this machine's; why is on standard error. */
  async build(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), 'plimsoll-firewall-'));
    await mkdir(join(this.directory, 'layers'));
    await writeFile(join(this.directory, 'bus.conf'), busConfiguration);
    const words = ['unshare', '--mount', 'sh', '-ec', overlayScript, 'sh', this.directory, this.packages];
    this.holder = spawn('nsenter', [`--net=/run/netns/${this.namespace}`, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const isUp = await Promise.race([
      once(this.holder.stdout ?? this.holder, 'data').then(() => true),
      once(this.holder, 'exit').then(() => false),
    ]);
    if (!isUp) throw new Error(`Cannot lay ${this.packages} over /usr and /etc: ended with ${this.holder.exitCode}`);
  }

  /** A command in the host, with these programs. */
  async run(script: string): Promise<string> {
    const words = [...this.enter(), 'sh', '-ec', script];
    const running = execute('nsenter', words, { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL' });
    running.child.stdin?.end();
    return (await running).stdout;
  }

  /** One left over from before is stopped first. */
  async startFirewalld(): Promise<void> {
    await this.stopFirewalld();
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
    await this.endDaemons();
    await this.run('nft delete table inet firewalld 2>/dev/null || true; rm -f /run/dbus/*');
  }

  async destroy(): Promise<void> {
    try {
      await this.endDaemons();
    } finally {
      if (this.holder) await end(this.holder);
      if (this.directory !== '') await rm(this.directory, { recursive: true, force: true });
    }
  }

  private async endDaemons(): Promise<void> {
    for (const daemon of this.daemons.splice(0).reverse()) await end(daemon);
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
