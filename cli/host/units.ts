/** The programs of a host as units. Pure. */
import { join } from 'node:path';
import type { PlimProgram } from '../supervise/start-supervisor.ts';
import type { Unit } from '../supervise/unit.ts';

/** What the units of a host need to know of it. */
export interface HostLayout {
  readonly program: PlimProgram;
  /** Changes with every new build of Plimsoll. */
  readonly build: string;
  readonly stateDir: string;
  readonly socket: string;
  /** The address other hosts reach this one at; undefined where the agent finds out by itself. */
  readonly address: string | undefined;
  /** URL of the host's Docker Engine. */
  readonly docker: string;
  /** Labels that may open hosts to containers, between commas; none when absent. */
  readonly allow?: string | undefined;
  /** URLs of what coordinators ask; none when absent. */
  readonly prometheusUrl?: string | undefined;
  readonly natsMonitoringUrl?: string | undefined;
  readonly alertmanagerUrl?: string | undefined;
}

/**
 * Options of Node itself, by daemon: bounds of V8's young generation in MB, which it would take thrice and grow to 16. A
 * coordinator's snapshots live longer than what an agent reads. An agent has two isolates, for each of which V8 would copy
 * its built-in functions. The lab starts its daemons with the same.
 */
export const nodeOptions = {
  agent: ['--max-semi-space-size=2', '--no-short-builtin-calls'],
  coordinator: ['--max-semi-space-size=4'],
  dns: ['--max-semi-space-size=2'],
} as const;

/**
 * glibc's allocator in those daemons: one pool of memory for all threads, where it makes up to eight for each core, and fixed
 * bounds, where it raises them with each large piece that is freed and gives less and less back. An agent with 30 containers
 * has 7 to 9 MB less. The lab and the benchmarks start their daemons with the same.
 */
export const allocatorEnvironment = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } as const;

const plain = { environment: {}, after: [], staleFiles: [], build: '' };

/** The bus. What it is told lies in its configuration file; see bus/server. */
export function natsUnit(command: { readonly file: string; readonly args: readonly string[] }, build: string): Unit {
  return {
    ...plain,
    name: 'nats',
    description: 'bus and datastore',
    file: command.file,
    args: [...command.args],
    build,
  };
}

export function coordinatorUnit(host: HostLayout): Unit {
  const args = ['--state-dir', host.stateDir, '--socket', host.socket, ...addressArgs('--advertise', host)];
  if (host.allow !== undefined) args.push('--allow', host.allow);
  if (host.prometheusUrl !== undefined) args.push('--prometheus', host.prometheusUrl);
  if (host.natsMonitoringUrl !== undefined) args.push('--nats-monitoring', host.natsMonitoringUrl);
  if (host.alertmanagerUrl !== undefined) args.push('--alertmanager', host.alertmanagerUrl);
  return { ...plimUnit(host, 'coordinator', args), description: 'API, planning, failover', after: ['nats'] };
}

export function agentUnit(host: HostLayout): Unit {
  const args = ['--state-dir', host.stateDir, '--docker', host.docker, ...addressArgs('--address', host)];
  return { ...plimUnit(host, 'agent', args), description: "this host's containers", after: ['nats', 'dockerd'] };
}

/** Names for the containers of the host: a unit of its own, so that the agent may restart. */
export function dnsUnit(host: Pick<HostLayout, 'program' | 'build' | 'stateDir'>): Unit {
  return { ...plimUnit(host, 'dns', ['--state-dir', host.stateDir]), description: "names for this host's containers" };
}

function addressArgs(flag: string, host: HostLayout): string[] {
  return host.address === undefined ? [] : [flag, host.address];
}

/** A daemon of `plim` itself; its command has the unit's name. */
function plimUnit(
  host: Pick<HostLayout, 'program' | 'build'>,
  name: keyof typeof nodeOptions,
  args: readonly string[],
): Unit {
  const { nodePath, scriptPath } = host.program;
  const words = [...nodeOptions[name], scriptPath, name, ...args];
  const environment = { ...allocatorEnvironment };
  return { ...plain, name, description: name, file: nodePath, args: words, environment, build: host.build };
}

export interface PrometheusOptions {
  readonly file: string;
  readonly stateDir: string;
  /** host:port; loopback unless the operator opens it. */
  readonly listen: string;
  /** Changes with the configuration, which Prometheus reads only at its start. */
  readonly build: string;
}

export function prometheusUnit(options: PrometheusOptions): Unit {
  const directory = join(options.stateDir, 'prometheus');
  const args = [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${options.listen}`,
    // How many replicas an alert asks for is said anew at each evaluation, 5 s apart: Prometheus waits for longer than this.
    '--rules.alert.resend-delay=4s',
  ];
  const { file, build } = options;
  return { ...plain, name: 'prometheus', description: 'Prometheus', file, args, after: ['coordinator'], build };
}

export interface EngineOptions {
  readonly socketPath: string;
  /** Configuration and containerd's own state. */
  readonly directory: string;
  /** For what need not survive a boot. */
  readonly runDir: string;
  readonly dockerd: string;
  readonly containerd: string;
  /** Further arguments of dockerd. */
  readonly dockerdArgs: readonly string[];
}

/**
 * The host's Docker Engine where nothing else runs one. containerd is a unit of its own: a dockerd that owns it fails
 * its first restart after kill -9. live-restore keeps containers running while dockerd is away.
 */
export function engineUnits(options: EngineOptions): [containerd: Unit, dockerd: Unit] {
  const { directory, runDir } = options;
  const address = join(runDir, 'containerd.sock');
  const pidFile = join(runDir, 'dockerd.pid');
  const containerd: Unit = {
    ...plain,
    name: 'containerd',
    description: 'containerd of the Docker Engine',
    file: options.containerd,
    args: argumentsOf({
      '--config': join(directory, 'containerd.toml'),
      '--address': address,
      '--root': join(directory, 'containerd'),
      '--state': join(runDir, 'containerd'),
    }),
  };
  const flags = {
    '--host': `unix://${options.socketPath}`,
    '--containerd': address,
    '--pidfile': pidFile,
    '--exec-root': join(runDir, 'docker'),
  };
  const dockerd: Unit = {
    ...plain,
    name: 'dockerd',
    description: 'Docker Engine',
    file: options.dockerd,
    after: ['containerd'],
    args: [...argumentsOf(flags), '--live-restore', ...options.dockerdArgs],
    // A killed dockerd leaves them, and takes whoever has its old process id for itself.
    staleFiles: [pidFile, options.socketPath],
  };
  return [containerd, dockerd];
}

function argumentsOf(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).flat();
}
