/** A whole agent on a real engine and the bus in memory. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningAgent, startAgent } from '../../agent/agent.ts';
import type { AgentParts } from '../../agent/agent-parts.ts';
import { DockerEngine } from '../../agent/engine/docker-engine.ts';
import { EngineCalls } from '../../agent/engine/engine-calls.ts';
import { DockerPassage } from '../../agent/engine/engine-passage.ts';
import { RealVolatileFolder } from '../../agent/files/volatile-folder.ts';
import { serveHttp } from '../../agent/http-server.ts';
import { runHostCommand } from '../../agent/network/command-runner.ts';
import { planTask } from '../../agent/plan/plan-task.ts';
import { createProbeClient } from '../../agent/probe/probe-client.ts';
import { realHost } from '../../agent/real-host.ts';
import { AgentSettings } from '../../agent/settings.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { systemClock } from '../../runtime/clock.ts';
import { durableFiles } from '../../runtime/files.ts';
import { derivedId, randomId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { probeTcp } from '../../runtime/tcp-probe.ts';
import { eventually } from './eventually.ts';
import { fakeUsageMeter } from './fake-usage-meter.ts';
import { type MemoryConnection, MemoryServer } from './memory-bus.ts';
import { noOverlay } from './no-overlay.ts';

export class AgentOnMemoryBus {
  readonly server = new MemoryServer({ clock: systemClock });
  /** The test's own connection, as a coordinator would have it. */
  readonly leader = this.server.connect('leader');
  readonly nodeId = derivedId('node', 1);
  readonly clusterId = randomId();
  readonly engine: DockerEngine;
  /** The agent's connection, to cut. */
  connection: MemoryConnection | undefined;
  agent: RunningAgent | undefined;
  /** What the ports part was told, newest last. */
  readonly portCalls: string[] = [];
  private readonly assigned = new Map<string, TaskRecord>();
  readonly stateDir: string;
  private readonly address: string;
  /** Where tasks' secrets lie in clear; in memory, as /dev/shm is everywhere. */
  readonly filesDir = join('/dev/shm', `plimsoll-agent-${randomId()}`);

  private constructor(address: string, stateDir: string) {
    this.address = address;
    this.stateDir = stateDir;
    this.engine = new DockerEngine(address, systemClock, createLog('engine', 'silent'));
  }

  static async create(address: string): Promise<AgentOnMemoryBus> {
    const stateDir = await mkdtemp(join(tmpdir(), 'plimsoll-agent-'));
    await mkdir(join(stateDir, 'node'));
    return new AgentOnMemoryBus(address, stateDir);
  }

  async start(parts: Partial<AgentParts> = {}, settings: Partial<AgentSettings> = {}): Promise<RunningAgent> {
    const all = AgentSettings.parse({ stateDir: this.stateDir, docker: this.address, port: 0, ...settings });
    this.agent = await startAgent(all, { ...this.parts(), ...parts });
    return this.agent;
  }

  /** Stops the agent and leaves its containers. */
  async stopAgent(): Promise<void> {
    await this.agent?.stop();
    this.agent = undefined;
  }

  async assign(task: TaskRecord): Promise<void> {
    this.assigned.set(task.id, task);
    const { tasks } = this.leader.buckets;
    const key = `${task.nodeId}.${task.id}`;
    const existing = await tasks.get(key);
    if (existing) await tasks.update(key, task, existing.revision);
    else await tasks.create(key, task);
  }

  /** Has every task stopped and removed, as a leader does. */
  async stopTasks(): Promise<void> {
    await Promise.all(
      [...this.assigned.values()].map(async (task) => {
        await this.assign({ ...task, desired: 'stopped' });
        await this.statusWhere(task, ({ removed }) => removed, `${task.serviceName} is removed`);
      }),
    );
    this.assigned.clear();
  }

  async status(task: TaskRecord): Promise<StatusRecord | undefined> {
    return (await this.leader.buckets.statuses.get(`${task.nodeId}.${task.id}`))?.value;
  }

  /** Waits for a status of the task that satisfies the test. */
  statusWhere(task: TaskRecord, accept: (status: StatusRecord) => boolean, what: string): Promise<StatusRecord> {
    const timeoutMs = 20_000;
    return eventually(
      async () => {
        const status = await this.status(task);
        return status && accept(status) ? status : undefined;
      },
      { timeoutMs, intervalMs: 5, what },
    );
  }

  /** What lies in memory, as a host that was off has lost it. */
  async forgetFiles(): Promise<void> {
    await rm(this.filesDir, { recursive: true, force: true });
  }

  async dispose(): Promise<void> {
    await this.stopAgent();
    for (const container of await this.engine.listOwn(this.clusterId)) {
      await this.engine.stop(container.id, 0);
      await this.engine.remove(container.id);
    }
    await rm(this.stateDir, { recursive: true, force: true });
    await this.forgetFiles();
  }

  private parts(): AgentParts {
    return {
      identity: { nodeId: this.nodeId, clusterId: this.clusterId, natsUrls: ['127.0.0.1'] },
      version: '0.0.0',
      clock: systemClock,
      log: createLog('agent', process.env.PLIMSOLL_TEST_LOG === undefined ? 'silent' : 'debug'),
      metrics: createMetrics('agent', '0.0.0'),
      engine: this.engine,
      passage: new DockerPassage(this.address),
      host: realHost({ stateDir: this.stateDir, dockerConfigFile: '/etc/docker/daemon.json' }),
      files: durableFiles,
      volatileFolder: new RealVolatileFolder(this.filesDir, runHostCommand),
      probe: probeTcp,
      planTask,
      probeClient: createProbeClient(new EngineCalls(this.address, systemClock), systemClock),
      newId: randomId,
      serveHttp,
      connect: async (purpose) => {
        const connection = this.server.connect(`agent-${purpose}`);
        if (purpose === 'state') this.connection = connection;
        return connection;
      },
      ports: {
        apply: async (endpoints) => {
          this.portCalls.push(`apply ${endpoints.map(({ publishedPort }) => publishedPort).join(' ')}`);
        },
        withdraw: async (taskId) => {
          this.portCalls.push(`withdraw ${taskId}`);
        },
        checkFree: async () => undefined,
        applyMesh: async () => undefined,
        watch: async () => undefined,
      },
      ...noOverlay,
      startBeats: () => ({ stop: async () => undefined }),
      nodeMetrics: { page: async () => ({ pieces: [], release: () => undefined }), watch: async () => undefined },
      usageMeter: fakeUsageMeter,
      monotonicNs: () => process.hrtime.bigint(),
    };
  }
}
