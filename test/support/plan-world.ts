/**
 * A whole cluster as plain maps: the real planner plans on it, its actions are carried out at once, and a simple model of
 * an agent per node reports what a real one would. Time moves only by `pass()`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../bus/bus.ts';
import { type Action, actionsOf, type Moment, type Plan } from '../../coordinator/plan/actions.ts';
import { plan, planningAgain } from '../../coordinator/plan/plan.ts';
import type { Doubt, NodeState, Snapshot } from '../../coordinator/store/snapshot.ts';
import type { NodeRecord, NodeSpecRecord } from '../../model/node-record.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { derivedId } from '../../runtime/identifiers.ts';

type Table<T> = Map<string, Entry<T>>;
type Tables = {
  -readonly [K in
    | 'services'
    | 'networks'
    | 'secrets'
    | 'configs'
    | 'volumes'
    | 'nodeSpecs'
    | 'nodes'
    | 'tasks'
    | 'statuses'
    | 'slots'
    | 'rollouts'
    | 'scales'
    | 'nets']: Map<string, Snapshot[K] extends ReadonlyMap<string, infer E> ? E : never>;
};

/** How a container of an image behaves; the default starts and is ready at once, and ends as soon as it is told to. */
export type Behaviour = 'good' | 'crashes' | 'never-ready' | 'no-image' | 'unhealthy' | 'exits' | 'takes-long-to-stop';

export class PlanWorld {
  readonly tables: Tables = {
    services: new Map(),
    networks: new Map(),
    secrets: new Map(),
    configs: new Map(),
    volumes: new Map(),
    nodeSpecs: new Map(),
    nodes: new Map(),
    tasks: new Map(),
    statuses: new Map(),
    slots: new Map(),
    rollouts: new Map(),
    scales: new Map(),
    nets: new Map(),
  };
  readonly states = new Map<string, { state: NodeState; sinceMs: number; incarnation?: number }>();
  readonly behaviours = new Map<string, Behaviour>();
  /** Every action ever carried out. */
  readonly done: Action[] = [];
  historyLimit = 5;
  doubt: Doubt | undefined;
  private readonly copies = new Map<string, ReadonlyMap<string, unknown>>();
  private readonly planAgain = planningAgain();
  private nowMs = 1_000_000;
  private revision = 0;

  get now(): Moment {
    return { wallMs: this.nowMs, elapsedMs: this.nowMs };
  }

  pass(durationMs: number): void {
    this.nowMs += durationMs;
  }

  // ---- wishes ----

  addNode(name: string, change: Partial<NodeRecord['resources']> & { labels?: Record<string, string> } = {}): string {
    const id = derivedId('node', name);
    const times = { createdAtMs: this.nowMs, updatedAtMs: this.nowMs };
    this.write('nodeSpecs', id, {
      v: 1,
      id,
      name,
      labels: change.labels ?? {},
      role: 'worker',
      availability: 'active',
      publicKey: `U${name}`,
      ...times,
    });
    this.write('nodes', id, {
      v: 1,
      id,
      incarnation: 1,
      hostname: name,
      address: '10.0.0.1',
      agentVersion: '0',
      agentPort: 7701,
      engine: {
        version: '1',
        apiVersion: '1.41',
        os: 'linux',
        architecture: 'x86_64',
        labels: {},
        plugins: [],
        liveRestore: true,
      },
      resources: {
        nanoCpus: change.nanoCpus ?? 4e9,
        memoryBytes: change.memoryBytes ?? 8 * 2 ** 30,
        ...(change.generic ? { generic: change.generic } : {}),
      },
      manager: false,
    });
    this.setState(id, 'ready');
    return id;
  }

  setState(nodeId: string, state: NodeState): void {
    this.states.set(nodeId, { state, sinceMs: this.nowMs });
  }

  setAvailability(nodeId: string, availability: NodeSpecRecord['availability']): void {
    const entry = this.tables.nodeSpecs.get(nodeId);
    if (entry) this.write('nodeSpecs', nodeId, { ...entry.value, availability });
  }

  removeNode(nodeId: string): void {
    this.tables.nodes.delete(nodeId);
    this.tables.nodeSpecs.delete(nodeId);
    this.setState(nodeId, 'lost');
  }

  addService(name: string, replicas: number, change: Partial<ServiceSpec> & { image?: string } = {}): string {
    const { image = 'good', ...rest } = change;
    const id = derivedId('service', name);
    const spec: ServiceSpec = {
      Name: name,
      TaskTemplate: { ContainerSpec: { Image: image } },
      Mode: { Replicated: { Replicas: replicas } },
      ...rest,
    };
    this.write('services', id, {
      v: 1,
      id,
      spec,
      revision: 1,
      revisions: [{ number: 1, taskTemplate: spec.TaskTemplate, createdAtMs: this.nowMs }],
      ports: spec.EndpointSpec?.Ports ?? [],
      createdAtMs: this.nowMs,
      updatedAtMs: this.nowMs,
      change: 'create',
    });
    return id;
  }

  service(id: string): ServiceRecord {
    const entry = this.tables.services.get(id);
    if (!entry) throw new Error(`There is no service ${id}`);
    return entry.value;
  }

  scale(id: string, replicas: number): void {
    const service = this.service(id);
    const spec = { ...service.spec, Mode: { Replicated: { Replicas: replicas } } };
    this.write('services', id, { ...service, spec, previousSpec: service.spec });
  }

  /** `docker service update` with nothing changed. */
  updateAsIs(id: string): void {
    const service = this.service(id);
    this.write('services', id, { ...service, previousSpec: service.spec });
  }

  /** A new revision that runs `image`. */
  update(id: string, image: string, change: Partial<ServiceSpec> = {}): void {
    const service = this.service(id);
    const taskTemplate = { ...service.spec.TaskTemplate, ContainerSpec: { Image: image } };
    const number = Math.max(...service.revisions.map((revision) => revision.number)) + 1;
    this.write('services', id, {
      ...service,
      spec: { ...service.spec, TaskTemplate: taskTemplate, ...change },
      previousSpec: service.spec,
      revision: number,
      revisions: [...service.revisions, { number, taskTemplate, createdAtMs: this.nowMs }],
      change: 'update',
    });
  }

  /** The record comes back as it was once. */
  restoreService(record: ServiceRecord): void {
    this.write('services', record.id, record);
  }

  remove(id: string): void {
    this.write('services', id, { ...this.service(id), removedAtMs: this.nowMs });
  }

  // ---- leader ----

  snapshot(): Snapshot {
    const liveness = new Map([...this.states].map(([id, liveness]) => [id, { ...liveness, message: liveness.state }]));
    return {
      ...this.copiedTables(),
      alerts: new Map(),
      cluster: {
        key: 'main',
        value: {
          v: 1,
          id: derivedId('cluster'),
          taskHistoryLimit: this.historyLimit,
          labels: {},
          createdAtMs: 0,
          updatedAtMs: 0,
        },
        revision: 1,
        writtenAtMs: 0,
      },
      liveness,
      ...(this.doubt ? { doubt: this.doubt } : {}),
      coordinatorNodes: new Set(),
      leader: undefined,
    };
  }

  /** Each table is copied only when it changed: a planner that plans again looks at nothing else. */
  private copiedTables(): Tables {
    const copied = Object.entries(this.tables).map(([name, table]) => {
      const known = this.copies.get(name);
      const copy = known && isSameTable(known, table) ? known : new Map<string, unknown>(table);
      this.copies.set(name, copy);
      return [name, copy];
    });
    return Object.fromEntries(copied) as Tables;
  }

  /** The plan; one made by a planner that has planned all along must be the same. */
  plan(): Plan {
    const snapshot = this.snapshot();
    const made = plan(snapshot, this.now);
    const again = this.planAgain(snapshot, this.now);
    if (!isDeepStrictEqual(made, again)) {
      throw new Error(`Planning again answers ${JSON.stringify(again)}, planning from nothing ${JSON.stringify(made)}`);
    }
    return made;
  }

  /** Plans and carries out; answers the number of actions. `crashAfter` actions the leader dies. */
  lead(crashAfter = Number.POSITIVE_INFINITY): number {
    const actions = actionsOf(this.plan()).slice(0, crashAfter);
    this.carryOutAll(actions);
    return actions.length;
  }

  carryOutAll(actions: readonly Action[]): void {
    for (const action of actions) this.carryOut(action);
  }

  private carryOut(action: Action): void {
    this.done.push(action);
    switch (action.kind) {
      case 'put-slot':
        return this.writeExpecting('slots', action.key, action.record, action.expectedRevision);
      case 'put-rollout':
        return this.writeExpecting('rollouts', action.key, action.record, action.expectedRevision);
      case 'create-task':
        return this.writeExpecting('tasks', action.record.id, action.record, undefined);
      case 'update-task':
        return this.writeExpecting('tasks', action.record.id, action.record, action.expectedRevision);
      case 'delete-task':
        return this.deleteExpecting('tasks', action.record.id, action.expectedRevision);
      case 'delete-slot':
        return this.deleteExpecting('slots', action.key, action.expectedRevision);
      case 'delete-rollout':
        return this.deleteExpecting('rollouts', action.key, action.expectedRevision);
      case 'delete-scale':
        return this.deleteExpecting('scales', action.key, action.expectedRevision);
      case 'put-net':
        return this.writeExpecting('nets', action.key, action.record, action.expectedRevision);
      case 'delete-net':
        return this.deleteExpecting('nets', action.key, action.expectedRevision);
      case 'delete-service':
        return this.deleteExpecting('services', action.key, action.expectedRevision);
      case 'roll-back-service':
        return this.rollBack(action.key);
    }
  }

  /** Back to the specification before. */
  rollBack(id: string): void {
    const service = this.service(id);
    const before = service.previousSpec;
    if (!before) throw new Error(`Service ${id} has no previous specification`);
    const revision = service.revisions.find((candidate) => candidate.taskTemplate === before.TaskTemplate);
    this.write('services', id, {
      ...service,
      spec: before,
      previousSpec: service.spec,
      revision: revision?.number ?? 1,
      change: 'rollback',
    });
  }

  // ---- agents ----

  /** Every reachable agent does one step for each of its tasks; answers whether anything changed. */
  runAgents(): boolean {
    let changed = false;
    for (const [id, { value }] of this.tables.tasks) {
      if (this.isReachable(value.nodeId)) changed = this.runTask(id, value) || changed;
    }
    for (const [id, { value }] of this.tables.statuses) {
      if (!value.removed || this.tables.tasks.has(id)) continue;
      this.tables.statuses.delete(id);
      changed = true;
    }
    return changed;
  }

  /** Leader and agents in turn until neither has anything to do; fails if that takes too long. */
  converge(maxRounds = 200): void {
    for (let round = 0; round < maxRounds; round += 1) {
      const actions = this.lead();
      const changed = this.runAgents();
      if (actions === 0 && !changed) return;
    }
    throw new Error(
      `Not settled after ${maxRounds} rounds; last plan: ${JSON.stringify(actionsOf(this.plan()), null, 1)}`,
    );
  }

  live(serviceId: string): TaskRecord[] {
    return [...this.tables.tasks.values()]
      .map((entry) => entry.value)
      .filter((task) => task.serviceId === serviceId && task.desired !== 'stopped');
  }

  /** Tasks of a service that run, by node. */
  spread(serviceId: string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const task of this.live(serviceId)) counts[task.nodeId] = (counts[task.nodeId] ?? 0) + 1;
    return counts;
  }

  /** A new life of a node's agent: what it reported before is old news until it says so again. */
  restartAgent(nodeId: string): void {
    const entry = this.tables.nodes.get(nodeId);
    if (entry) this.write('nodes', nodeId, { ...entry.value, incarnation: entry.value.incarnation + 1 });
  }

  report(task: TaskRecord, change: Partial<StatusRecord>): boolean {
    const before = this.tables.statuses.get(task.id)?.value ?? this.firstStatus(task);
    const incarnation = this.tables.nodes.get(task.nodeId)?.value.incarnation ?? 1;
    const next = { ...before, ...change, incarnation };
    if (this.tables.statuses.has(task.id) && JSON.stringify(next) === JSON.stringify(before)) return false;
    this.write('statuses', task.id, { ...next, sequence: before.sequence + 1, changedAtMs: this.nowMs });
    return true;
  }

  private isReachable(nodeId: string): boolean {
    return this.states.get(nodeId)?.state === 'ready' && this.tables.nodes.has(nodeId);
  }

  private runTask(id: string, task: TaskRecord): boolean {
    const behaviour = this.behaviours.get(task.template.ContainerSpec.Image) ?? 'good';
    if (task.desired === 'stopped') {
      if (behaviour === 'takes-long-to-stop') return this.report(task, { ready: false });
      return this.report(task, { state: 'shutdown', ready: false, removed: true });
    }
    const status = this.tables.statuses.get(id)?.value;
    if (status && status.attempt <= task.replaceAttempt) {
      return this.report(task, { attempt: task.replaceAttempt + 1, state: 'running', ready: true, health: 'healthy' });
    }
    if (behaviour === 'no-image') return this.report(task, { state: 'rejected', error: 'No such image', failures: 5 });
    if (task.desired === 'ready') return this.report(task, { state: 'ready' });
    return this.report(task, runningAs(behaviour, status));
  }

  private firstStatus(task: TaskRecord): StatusRecord {
    return {
      v: 1,
      taskId: task.id,
      serviceId: task.serviceId,
      slot: task.slot,
      nodeId: task.nodeId,
      revision: task.revision,
      incarnation: 1,
      attempt: 1,
      sequence: 0,
      state: 'assigned',
      ready: false,
      health: 'none',
      removed: false,
      containerId: `container-of-${task.id}`,
      message: '',
      changedAtMs: this.nowMs,
      failures: 0,
      restarts: 0,
      oomKills: 0,
      exits: [],
      final: false,
    };
  }

  // ---- buckets ----

  write<K extends keyof Tables>(table: K, key: string, value: EntryValue<K>): void {
    const target = this.tables[table] as Table<EntryValue<K>>;
    target.set(key, this.entry(key, value));
  }

  private entry<T>(key: string, value: T): Entry<T> {
    this.revision += 1;
    return { key, value, revision: this.revision, writtenAtMs: this.nowMs };
  }

  private writeExpecting<K extends keyof Tables>(
    table: K,
    key: string,
    value: EntryValue<K>,
    expectedRevision: number | undefined,
  ): void {
    this.requireRevision(table, key, expectedRevision);
    this.write(table, key, value);
  }

  private deleteExpecting(table: keyof Tables, key: string, expectedRevision: number): void {
    this.requireRevision(table, key, expectedRevision);
    this.tables[table].delete(key);
  }

  private requireRevision(table: keyof Tables, key: string, expected: number | undefined): void {
    const actual = this.tables[table].get(key)?.revision;
    if (actual !== expected)
      throw new Error(`Conflict: ${table} ${key} is at ${actual}, the plan expected ${expected}`);
  }
}

type EntryValue<K extends keyof Tables> = Tables[K] extends Map<string, Entry<infer T>> ? T : never;

function runningAs(behaviour: Behaviour, status: StatusRecord | undefined): Partial<StatusRecord> {
  switch (behaviour) {
    case 'crashes':
      return {
        state: 'failed',
        ready: false,
        failures: (status?.failures ?? 0) + 1,
        attempt: (status?.attempt ?? 0) + 1,
      };
    case 'exits':
      return { state: 'complete', ready: false, final: true, exitCode: 0 };
    case 'never-ready':
      return { state: 'running', ready: false, health: 'starting' };
    case 'unhealthy':
      return { state: 'running', ready: false, health: 'unhealthy' };
    default:
      return { state: 'running', ready: true, health: 'none' };
  }
}

function isSameTable(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): boolean {
  return before.size === after.size && [...after].every(([key, entry]) => before.get(key) === entry);
}
