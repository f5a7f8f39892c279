/** A host of its own for the benchmark, with a real engine, NATS, coordinator and agent (scripts/lab). */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Lab, labCommandAt, labUp } from '../../support/lab.ts';
import { metricValue } from '../../support/prometheus-text.ts';
import { benchPlace } from '../bench-place.ts';
import { EngineApi } from '../engine-api.ts';
import { secondsUntil } from '../measure.ts';
import { Probe, probedEnvironment } from '../probe/probe.ts';
import { recordedEnvironment } from '../probe/recording.ts';

const HOST = 'h1';
const AGENT_PORT = 7701;
const START_LIMIT_S = 900;
const SETTLE_MS = 3_000;

export class BenchHost {
  readonly cluster: EngineApi;
  readonly engine: EngineApi;
  readonly metricsUrl: string;
  private readonly lab: Lab;
  private readonly dir: string;

  private constructor(lab: Lab) {
    const host = lab.hosts[0];
    if (!host) throw new Error('The lab has no hosts');
    this.lab = lab;
    this.cluster = new EngineApi(lab.clusterSocket);
    this.engine = new EngineApi(host.engineSocket);
    this.metricsUrl = `http://${host.address}:${AGENT_PORT}/metrics`;
    this.dir = dirname(host.engineSocket);
  }

  static async up(): Promise<BenchHost> {
    return new BenchHost(await labUp({ engine: 'plimsoll', hosts: 1, modern: 0, place: benchPlace() }));
  }

  /** Runs `plain` replicas and `checked` ones with a health check, once all of them run. */
  async run(services: Readonly<Record<string, { replicas: number; healthIntervalS?: number }>>): Promise<void> {
    for (const [name, wanted] of Object.entries(services)) await this.deploy(name, wanted);
    const total = Object.values(services).reduce((sum, { replicas }) => sum + replicas, 0);
    await secondsUntil(async () => (await this.engine.runningContainers()).length === total, START_LIMIT_S);
    await delay(SETTLE_MS);
  }

  /** Another agent process, with the probe in it if asked for. */
  async restartAgent(): Promise<void> {
    await this.restart({});
  }

  async restartAgentProbed(): Promise<Probe> {
    const socketPath = join(this.dir, 'probe.sock');
    rmSync(socketPath, { force: true });
    await this.restart(probedEnvironment(socketPath));
    return Probe.connect(socketPath);
  }

  async restartAgentRecorded(socketPath: string): Promise<void> {
    rmSync(socketPath, { force: true });
    await this.restart(recordedEnvironment(socketPath));
  }

  /** A socket or file in the host's directory. */
  pathOf(name: string): string {
    return join(this.dir, name);
  }

  /** Runs a command in the host's network. */
  on(...words: string[]): Promise<string> {
    return this.lab.command('exec', HOST, '--', ...words);
  }

  agentPid(): number {
    return Number(readFileSync(join(this.dir, 'pids', 'agent.pid'), 'utf8'));
  }

  /** dockerd, containerd and the shims of this host: they all name its directory on their command line. */
  enginePids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => isEnginePart(readIfThere(`/proc/${pid}/cmdline`), `${this.dir}/`))
      .map(Number);
  }

  async scrape(): Promise<string> {
    const response = await fetch(this.metricsUrl);
    const page = await response.text();
    if (!response.ok) throw new Error(`Cannot scrape ${this.metricsUrl}: ${response.status} ${page.slice(0, 200)}`);
    return page;
  }

  async down(): Promise<void> {
    await Promise.all([this.cluster.close(), this.engine.close()]);
    await this.lab.down();
  }

  private async restart(environment: Readonly<Record<string, string>>): Promise<void> {
    const command = labCommandAt(benchPlace(), environment);
    await command('kill', `agent:${HOST}`);
    await command('start', `agent:${HOST}`);
    await secondsUntil(() => this.agentKnowsItsTasks());
    await delay(SETTLE_MS);
  }

  private async agentKnowsItsTasks(): Promise<boolean> {
    const containers = await this.engine.runningContainers();
    const page = await this.scrape().catch(() => '');
    const isUp = metricValue(page, 'plimsoll_engine_up') === 1;
    return isUp && metricValue(page, 'plimsoll_agent_tasks', { state: 'running' }) === containers.length;
  }

  private async deploy(name: string, wanted: { replicas: number; healthIntervalS?: number }): Promise<void> {
    const known = await this.cluster.call<readonly { Spec: { Name: string } }[]>('GET', '/services');
    const Mode = { Replicated: { Replicas: wanted.replicas } };
    if (known.some((service) => service.Spec.Name === name)) {
      return this.cluster.updateService(name, (spec) => ({ ...spec, Mode }));
    }
    const ContainerSpec = { Image: 'plimsoll/sleep:1', StopGracePeriod: 0, ...healthCheck(wanted.healthIntervalS) };
    await this.cluster.createService({ Name: name, TaskTemplate: { ContainerSpec }, Mode });
  }
}

function healthCheck(intervalS: number | undefined): object {
  if (intervalS === undefined) return {};
  return { Healthcheck: { Test: ['CMD', '/bin/true'], Interval: intervalS * 1e9, Timeout: 5e9, Retries: 3 } };
}

function isEnginePart(commandLine: string, directory: string): boolean {
  const [program = ''] = commandLine.split('\0');
  return /(?:dockerd|containerd)[^/]*$/.test(program) && commandLine.includes(directory);
}

/** Processes end while one looks. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
