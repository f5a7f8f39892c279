/** The Engine API of a coordinator on the memory bus behind a real unix socket, with nodes and tasks as a test scripts them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createDockerApi, type DockerApi } from '../../coordinator/api/docker/api.ts';
import type { NodeLiveness, Snapshot } from '../../coordinator/store/snapshot.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import type { NodeRecord } from '../../model/node-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { type MemoryConnection, MemoryServer } from './memory-bus.ts';
import { wishesOn } from './wishes.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const CLUSTER_ID = derivedId('cluster');
export const nodeIdOf = (hostname: string): string => derivedId('node', hostname);

export class DockerApiServer {
  readonly connection: MemoryConnection;
  readonly metrics = createMetrics('test', '0.0.0');
  readonly revokedNodes: string[] = [];
  socketPath = '';
  private readonly clock: Clock;
  private liveness: ReadonlyMap<string, NodeLiveness> = new Map();
  private readonly store: Store;
  private server: Server | undefined;
  private api: DockerApi | undefined;
  private folder = '';

  private constructor(clock: Clock, connection: MemoryConnection, store: Store) {
    this.clock = clock;
    this.connection = connection;
    this.store = store;
  }

  static async start(clock: Clock = systemClock): Promise<DockerApiServer> {
    const connection = new MemoryServer({ clock }).connect();
    const times = { createdAtMs: 1_000, updatedAtMs: 1_000 };
    await connection.buckets.clusters.create('main', {
      v: 1,
      id: CLUSTER_ID,
      taskHistoryLimit: 5,
      labels: {},
      ...times,
    });
    const store = await openStore({ buckets: connection.buckets, clock });
    const server = new DockerApiServer(clock, connection, store);
    await server.listen();
    return server;
  }

  /** What the coordinator knows right now. */
  snapshot(): Snapshot {
    return { ...this.store.snapshot(), leader: { coordinatorId: 'c1', nodeId: nodeIdOf('h1'), epoch: 1 } };
  }

  setNodeState(hostname: string, state: NodeLiveness['state'], message = ''): void {
    this.liveness = new Map([...this.liveness, [nodeIdOf(hostname), { state, sinceMs: 0, message }]]);
    this.store.setLiveness(this.liveness);
  }

  async addNode(hostname: string, record: Partial<NodeRecord> = {}): Promise<void> {
    const id = nodeIdOf(hostname);
    const { buckets } = this.connection;
    const times = { createdAtMs: 1_000, updatedAtMs: 1_000 };
    const wish = { labels: {}, role: 'worker', availability: 'active', publicKey: 'U' } as const;
    await buckets.nodeSpecs.create(id, { v: 1, id, ...wish, ...times });
    await buckets.nodes.create(id, aNodeRecord(hostname, record));
    this.setNodeState(hostname, 'ready');
  }

  /** Plays leader and agents once: every slot of a replicated service gets a running task, as the service is now. */
  async runTasks(
    serviceName: string,
    hostname = 'h1',
    changes: Partial<StatusRecord> = {},
    slots?: number,
  ): Promise<TaskRecord[]> {
    const service = this.service(serviceName);
    const replicas = slots ?? service.spec.Mode?.Replicated?.Replicas ?? 1;
    const tasks = Array.from({ length: replicas }, (_, index) => aTaskRecord(service, index + 1, nodeIdOf(hostname)));
    for (const task of tasks) {
      await this.connection.buckets.tasks.put(`${task.nodeId}.${task.id}`, task);
      await this.report(task, changes);
    }
    return tasks;
  }

  /** What the task's agent says of it from now on. */
  async report(task: TaskRecord, changes: Partial<StatusRecord>): Promise<void> {
    await this.connection.buckets.statuses.put(`${task.nodeId}.${task.id}`, aStatusRecord(task, changes));
  }

  service(name: string): ServiceRecord {
    const entry = [...this.snapshot().services.values()].find(({ value }) => value.spec.Name === name);
    if (entry === undefined) throw new Error(`There is no service ${name}`);
    return entry.value;
  }

  /** Runs a docker CLI against this API; never throws for a failing command. */
  docker(args: readonly string[], cli = 'docker'): Promise<CommandResult> {
    const env = { ...process.env, DOCKER_HOST: `unix://${this.socketPath}`, DOCKER_CONFIG: this.folder };
    return new Promise((resolve) => {
      const child = execFile(cli, [...args], { env, timeout: 30_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
      });
    });
  }

  /** Posts JSON; the status is the answer's code. */
  post(path: string, body: object): Promise<CommandResult> {
    const headers = { 'Content-Type': 'application/json' };
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.socketPath, path, method: 'POST', headers }, (response) => {
        const answer = (stdout: string) => resolve({ code: response.statusCode ?? 0, stdout, stderr: '' });
        text(response).then(answer, reject);
      });
      asked.on('error', reject).end(JSON.stringify(body));
    });
  }

  async stop(): Promise<void> {
    this.api?.close();
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
    await this.store.close();
    await this.connection.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listen(): Promise<void> {
    const log = createLog('test', 'silent');
    const parts = { bus: this.connection.bus, snapshot: () => this.snapshot(), clock: this.clock, log };
    const wishes = wishesOn(this.store, this.connection, this.clock, {
      snapshot: parts.snapshot,
      random: () => 0.5,
      revokeNode: async (nodeId) => void this.revokedNodes.push(nodeId),
    });
    this.api = createDockerApi({
      ...parts,
      wishes,
      metrics: this.metrics,
      version: '0.0.0-test',
      clusterId: CLUSTER_ID,
      nodeId: () => nodeIdOf('h1'),
      advertiseAddress: '10.99.0.1',
      joinAddress: '10.99.0.1:4222',
      joinToken: async () => 'PLIM-1-test',
      caPem: '-----BEGIN CERTIFICATE-----\n',
    });
    this.folder = await mkdtemp(join(tmpdir(), 'plimsoll-api-'));
    this.socketPath = join(this.folder, 'docker.sock');
    this.server = createServer(this.api.handler).on('upgrade', this.api.upgrade);
    await new Promise<void>((resolve) => this.server?.listen(this.socketPath, resolve));
  }
}

export function aNodeRecord(hostname: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    v: 1,
    id: nodeIdOf(hostname),
    incarnation: 1,
    hostname,
    address: '10.99.0.1',
    agentVersion: '0.0.0',
    agentPort: 7701,
    engine: {
      version: '28.5.2',
      apiVersion: '1.51',
      os: 'linux',
      architecture: 'x86_64',
      labels: {},
      plugins: [{ type: 'Log', name: 'json-file' }],
      liveRestore: true,
    },
    resources: { nanoCpus: 2_000_000_000, memoryBytes: 4_000_000_000 },
    manager: hostname === 'h1',
    ...changes,
  };
}

export function aTaskRecord(service: ServiceRecord, slot: number, nodeId: string): TaskRecord {
  return {
    v: 1,
    epoch: 1,
    id: derivedId('task', service.id, slot, service.revision),
    serviceId: service.id,
    serviceName: service.spec.Name,
    serviceLabels: service.spec.Labels ?? {},
    slot,
    nodeId,
    revision: service.revision,
    desired: 'running',
    template: service.spec.TaskTemplate,
    ports: service.ports.map((port) => ({ ...port, PublishedPort: port.PublishedPort ?? 0 })),
    replaceAttempt: 0,
    priorFailures: 0,
    reason: 'scripted',
    createdAtMs: 2_000,
  };
}

export function aStatusRecord(task: TaskRecord, changes: Partial<StatusRecord> = {}): StatusRecord {
  return {
    v: 1,
    taskId: task.id,
    serviceId: task.serviceId,
    slot: task.slot,
    nodeId: task.nodeId,
    revision: task.revision,
    incarnation: 1,
    attempt: 1,
    sequence: 1,
    state: 'running',
    ready: true,
    health: 'none',
    removed: false,
    containerId: 'ab'.repeat(32),
    pid: 4242,
    message: 'started',
    changedAtMs: 3_000,
    startedAtMs: 3_000,
    failures: 0,
    restarts: 0,
    oomKills: 0,
    exits: [],
    final: false,
    ...changes,
  };
}
