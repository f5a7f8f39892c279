/** A cluster in the lab, driven as a user drives it: with the docker CLI. All end-to-end tests share one lab. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { eventually } from './eventually.ts';
import { type Lab, type LabHost, labCommandAt, labEnsured, labUp } from './lab.ts';
import { metricValue, scrape } from './prometheus-text.ts';

const sharedLab = {
  name: process.env['E2E_LAB_NAME'] ?? 'e2e',
  subnet: process.env['E2E_LAB_SUBNET'] ?? '10.99.30',
} as const;
/** Which run of the tests uses the lab: only that one takes it down. */
const usedByFile = `/var/lib/plimsoll-${sharedLab.name}/used-by-run`;

/** The machine has few cores, and other tests may share them. */
const CONVERGE_MS = 60_000;
const COMMAND_MS = 90_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShownTask {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly image: string;
  readonly desiredState: string;
  readonly currentState: string;
  readonly error: string;
}

/** A container as its host's own engine shows it. */
export interface HostContainer {
  readonly host: string;
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly running: boolean;
}

/** What must not change about a container that "keeps running". */
export interface ContainerRun {
  readonly id: string;
  readonly startedAt: string;
  readonly processId: number;
}

const Inspected = z.object({ Id: z.string(), State: z.object({ StartedAt: z.string(), Pid: z.int() }) });

/**
 * The lab all end-to-end tests share, whole and empty: faults of earlier tests are over, their services gone. What an
 * interrupted run left behind is not taken over: its secrets and volumes would still be there.
 */
export async function sharedCluster(): Promise<Cluster> {
  const command = labCommandAt(sharedLab);
  if (!isOfThisRun() && process.env['E2E_KEEP_LAB'] === undefined) await command('down');
  const options = { engine: 'plimsoll', hosts: 3, modern: 1, coordinators: 1, place: sharedLab } as const;
  const lab = await labEnsured(options).catch(() => labUp(options));
  writeFileSync(usedByFile, process.env['E2E_RUN'] ?? '');
  for (const host of lab.hosts) await command('heal', host.name);
  const cluster = new Cluster(lab);
  await cluster.clear();
  return cluster;
}

/** Takes the shared lab down; does nothing when no test of this run used it. */
export async function sharedClusterDown(): Promise<void> {
  if (isOfThisRun()) await labCommandAt(sharedLab)('down');
}

function isOfThisRun(): boolean {
  return existsSync(usedByFile) && readFileSync(usedByFile, 'utf8') === process.env['E2E_RUN'];
}

export class Cluster {
  readonly lab: Lab;

  constructor(lab: Lab) {
    this.lab = lab;
  }

  host(name: string): LabHost {
    const host = this.lab.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`There is no host ${name}`);
    return host;
  }

  /** The docker CLI against the cluster; never throws for a command that fails. */
  try(...args: string[]): Promise<CommandResult> {
    return docker(this.lab.clusterSocket, args);
  }

  /** The docker CLI against the cluster: its output, without the last line's end. */
  async docker(...args: string[]): Promise<string> {
    return outputOf(args, await this.try(...args));
  }

  /** The docker CLI against the engine of one host. */
  async engine(host: string, ...args: string[]): Promise<string> {
    return outputOf(args, await docker(this.host(host).engineSocket, args));
  }

  /** A command in a host's network. */
  async on(host: string, ...words: string[]): Promise<string> {
    return (await this.lab.command('exec', host, '--', ...words)).trim();
  }

  /** Starts a docker command that does not end by itself; `lines` grows as it prints. */
  follow(...args: string[]): { readonly lines: readonly string[]; stop(): void } {
    const lines: string[] = [];
    const child = spawn('docker', args, { env: dockerEnvironment(this.lab.clusterSocket) });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    return { lines, stop: () => void child.kill() };
  }

  /** Creates a service and does not wait for it. */
  async create(name: string, ...args: string[]): Promise<void> {
    await this.docker('service', 'create', '--detach', '--no-resolve-image', '--name', name, ...args);
  }

  /** `docker service ps`: the newest task of each slot first. */
  async tasks(service: string, ...filters: string[]): Promise<ShownTask[]> {
    const fields = ['ID', 'Name', 'Node', 'Image', 'DesiredState', 'CurrentState', 'Error'];
    const format = fields.map((field) => `{{.${field}}}`).join('\t');
    const flags = filters.flatMap((filter) => ['--filter', filter]);
    const shown = await this.docker('service', 'ps', '--no-trunc', '--format', format, ...flags, service);
    return linesOf(shown).map((line) => {
      const [id = '', name = '', node = '', image = '', desiredState = '', currentState = '', error = ''] =
        line.split('\t');
      return { id, name, node, image, desiredState, currentState, error };
    });
  }

  /** The tasks of a service that run. */
  async running(service: string): Promise<ShownTask[]> {
    const tasks = await this.tasks(service, 'desired-state=running');
    return tasks.filter((task) => task.currentState.startsWith('Running'));
  }

  /** Waits until a service has exactly this many running tasks, each with its container, and nothing else runs for it. */
  async settled(service: string, replicas: number): Promise<ShownTask[]> {
    const condition = async () => {
      const shown = await this.docker('service', 'ls', '--filter', `name=${service}`, '--format', '{{.Replicas}}');
      const tasks = await this.running(service);
      const containers = await this.serviceContainers(service);
      const known = new Set(tasks.map((task) => task.id));
      const isWhole = shown.startsWith(`${replicas}/${replicas}`) && tasks.length === replicas;
      const isExact = containers.length === replicas && containers.every(({ name }) => known.has(taskIdOf(name)));
      if (isWhole && isExact) return tasks;
      throw new Error(`${shown}; ${JSON.stringify({ tasks, containers })}`);
    };
    const what = `service ${service} to have ${replicas} running tasks and their containers only`;
    return eventually(condition, { timeoutMs: CONVERGE_MS, intervalMs: 200, what });
  }

  /** Waits until a task of a service shows an error like this. */
  async taskError(service: string, pattern: RegExp): Promise<string> {
    const what = `docker service ps ${service} to show ${pattern}`;
    const condition = async () => {
      const errors = (await this.tasks(service)).map((task) => task.error);
      const found = errors.find((error) => pattern.test(error));
      if (found === undefined) throw new Error(JSON.stringify(errors));
      return found;
    };
    return eventually(condition, { timeoutMs: CONVERGE_MS, intervalMs: 200, what });
  }

  /** Every container of this cluster on every engine, as the engines show them. */
  async containers(): Promise<HostContainer[]> {
    const perHost = await Promise.all(this.lab.hosts.map((host) => this.hostContainers(host.name)));
    return perHost.flat();
  }

  async hostContainers(host: string): Promise<HostContainer[]> {
    const format = '{{.ID}}\t{{.Names}}\t{{.Label "com.docker.swarm.service.name"}}\t{{.State}}';
    const flags = ['--all', '--no-trunc', '--filter', 'label=plimsoll.task.id', '--format', format];
    return linesOf(await this.engine(host, 'ps', ...flags)).map((line) => {
      const [id = '', name = '', service = '', state = ''] = line.split('\t');
      return { host, id, name, service, running: state === 'running' };
    });
  }

  /** The running containers of a service. */
  async serviceContainers(service: string): Promise<HostContainer[]> {
    return (await this.containers()).filter((container) => container.service === service && container.running);
  }

  /** Which runs a service's containers are, by name: equal before and after means that nothing was restarted. */
  async runs(service: string, hosts = this.lab.hosts.map(({ name }) => name)): Promise<Record<string, ContainerRun>> {
    const runs: Record<string, ContainerRun> = {};
    for (const { host, id, name } of await this.serviceContainers(service)) {
      if (!hosts.includes(host)) continue;
      const [found] = z.tuple([Inspected]).parse(JSON.parse(await this.engine(host, 'inspect', id)));
      runs[name] = { id: found.Id, startedAt: found.State.StartedAt, processId: found.State.Pid };
    }
    return runs;
  }

  /** A metric of the coordinator; 0 when it has no series with these labels. */
  async coordinatorMetric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return metricValue(await scrape(`${this.lab.plimUrl}/metrics`), name, labels);
  }

  /** A metric of a host's agent. */
  async agentMetric(host: string, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    return metricValue(await scrape(`http://${this.host(host).address}:7701/metrics`), name, labels);
  }

  /** The sum of a metric over all agents that answer. */
  async agentsMetric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const values = await Promise.all(this.lab.hosts.map((host) => this.agentMetric(host.name, name, labels)));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Does the coordinator say that it can serve: it reaches the bus and knows the state? */
  coordinatorIsReady(): Promise<boolean> {
    const answer = fetch(`${this.lab.plimUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return answer.then(
      (response) => response.ok,
      () => false,
    );
  }

  async nodeStatus(host: string): Promise<string> {
    return this.docker('node', 'inspect', host, '--format', '{{.Status.State}}');
  }

  /** Waits until every node is ready and takes tasks. */
  async whole(): Promise<void> {
    const wanted = this.lab.hosts.map(() => 'Ready Active').join('\n');
    const condition = async () =>
      (await this.docker('node', 'ls', '--format', '{{.Status}} {{.Availability}}')) === wanted;
    await eventually(condition, { timeoutMs: CONVERGE_MS, intervalMs: 200, what: 'every node to be ready' });
  }

  /** Removes every service and waits until no container of any is left. */
  async clear(): Promise<void> {
    const services = linesOf(await this.docker('service', 'ls', '--quiet'));
    if (services.length > 0) await this.docker('service', 'rm', ...services);
    for (const host of this.lab.hosts) await this.docker('node', 'update', '--availability', 'active', host.name);
    const isEmpty = async () => (await this.containers()).length === 0;
    await eventually(isEmpty, {
      timeoutMs: CONVERGE_MS,
      intervalMs: 200,
      what: 'all containers of services to be gone',
    });
  }
}

/** `web.1.<task id>` -> the task's id. */
function taskIdOf(containerName: string): string {
  return containerName.slice(containerName.lastIndexOf('.') + 1);
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function dockerEnvironment(socket: string): NodeJS.ProcessEnv {
  return { ...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: '/nonexistent' };
}

function docker(socket: string, args: readonly string[]): Promise<CommandResult> {
  const options = { env: dockerEnvironment(socket), timeout: COMMAND_MS, maxBuffer: 16 << 20 };
  return new Promise((resolve) => {
    const child = execFile('docker', [...args], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

function outputOf(args: readonly string[], { code, stdout, stderr }: CommandResult): string {
  if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trimEnd();
}
