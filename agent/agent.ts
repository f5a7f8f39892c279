/** The daemon of one host: takes assignments from the bus, keeps the engine at them, says what became of them. */
import { subjects } from '../bus/subjects.ts';
import type { Usage } from '../model/messages.ts';
import { messageOf, type PlimsollError } from '../runtime/errors.ts';
import { every } from '../runtime/every.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import { Poke, runLoop } from '../runtime/loop.ts';
import { type AgentMetrics, agentMetrics } from './agent-metrics.ts';
import type { AgentParts } from './agent-parts.ts';
import { keepAssignments, readAssignments } from './assignment-file.ts';
import { BeatState } from './beat-state.ts';
import { BusLink } from './bus-link.ts';
import { Contact } from './contact.ts';
import { ContainerEvents } from './container-events.ts';
import { EngineWatch } from './engine-watch.ts';
import { PayloadSource, type PayloadSourceParts } from './files/payload-source.ts';
import { createTaskFiles, type TaskFiles } from './files/task-files.ts';
import { keepHouse } from './housekeeping.ts';
import type { AgentHttp } from './http-server.ts';
import { ImageStore } from './image-store.ts';
import { ensureLiveRestore } from './live-restore.ts';
import type { MetricsPage } from './metrics/page-writer.ts';
import { NodeDescription } from './node-description.ts';
import { NodeNetwork } from './node-network.ts';
import { healthView, planUnhealthyReplacements } from './plan/replace-unhealthy.ts';
import { Probers } from './probe/probers.ts';
import { type Incarnation, markRegistered, nextIncarnation } from './registration.ts';
import type { AgentSettings } from './settings.ts';
import { TaskSupervisor } from './task-supervisor.ts';
import type { UsageMeter } from './usage/usage-meter.ts';
import { publishUsage } from './usage/usage-publisher.ts';

const TICK_MS = 500;
const DESCRIBE_MS = 60_000;
const DESCRIBE_RETRY_MS = 1_000;
/** Cut off this long, the agent replaces unhealthy tasks itself. */
const REPLACE_AFTER_MS = 10_000;

export interface RunningAgent {
  readonly nodeId: string;
  /** Where /metrics and /healthz are. */
  readonly port: number;
  /** Rejects when the agent must not go on: another one runs under its identity. Never resolves by itself. */
  readonly failed: Promise<never>;
  /** Ends the agent; the containers stay as they are. */
  stop(): Promise<void>;
}

/** Resolves as soon as the agent works; the bus and the engine may still be away. */
export async function startAgent(settings: AgentSettings, parts: AgentParts): Promise<RunningAgent> {
  const lifecycle = new Lifecycle(parts.log);
  try {
    const incarnation = await nextIncarnation({ ...parts, ...settings });
    return await new Agent(settings, parts, lifecycle, incarnation).start();
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

class Agent {
  private readonly settings: AgentSettings;
  private readonly parts: AgentParts;
  private readonly lifecycle: Lifecycle;
  private readonly incarnation: Incarnation;
  private readonly metrics: AgentMetrics;
  private readonly network: NodeNetwork;
  private readonly beats = new BeatState();
  private readonly description: NodeDescription;
  private readonly changed = new Poke();
  private readonly events: ContainerEvents;
  private readonly contact: Contact;
  private readonly link: BusLink;
  private readonly taskFiles: TaskFiles;
  private readonly images: ImageStore;
  private readonly supervisor: TaskSupervisor;
  private readonly tasks = () => this.supervisor.here.tasks();
  private http: AgentHttp | undefined;
  private fail: (error: PlimsollError) => void = () => undefined;

  constructor(settings: AgentSettings, parts: AgentParts, lifecycle: Lifecycle, incarnation: Incarnation) {
    this.settings = settings;
    this.parts = parts;
    this.lifecycle = lifecycle;
    this.incarnation = incarnation;
    this.metrics = agentMetrics(parts.metrics);
    const { metrics } = this;
    this.network = new NodeNetwork({ ...parts, ...settings, metrics, here: () => this.supervisor.here });
    this.description = new NodeDescription({ ...parts, ...parts.identity, settings });
    this.events = new ContainerEvents(parts.identity.nodeId, parts.log, this.metrics);
    this.contact = new Contact({ ...parts, ...parts.identity, stateDir: settings.stateDir, metrics: this.metrics });
    this.link = this.createLink();
    this.taskFiles = this.createTaskFiles();
    this.images = new ImageStore(parts.engine, parts.clock, {
      image: (request, signal) => this.link.askForImage(request, signal),
      registryAuth: (request, signal) => this.link.askForRegistryAuth(request, signal),
    });
    this.supervisor = this.createSupervisor();
  }

  async start(): Promise<RunningAgent> {
    const { parts, lifecycle, supervisor } = this;
    const failed = new Promise<never>((_, reject) => {
      this.fail = reject;
    });
    failed.catch((error) => parts.log.error({ error: messageOf(error) }, 'this agent must not run'));
    const http = await this.startHttp();
    this.startBeats();
    await this.restoreAssignments();
    lifecycle.onStop('tasks', () => supervisor.stop());
    this.background('node description', this.keepDescribed(lifecycle.signal));
    this.background('engine watch', this.createEngineWatch().run(lifecycle.signal));
    for (const [name, work] of this.network.background(lifecycle.signal)) this.background(name, work);
    this.background('main loop', this.tick(lifecycle.signal));
    this.background('housekeeping', this.keepHouse(lifecycle.signal));
    this.background('metrics', parts.nodeMetrics.watch(lifecycle.signal));
    this.background('bus', this.link.run(supervisor));
    if (parts.usageMeter) this.background('usage', this.publishUsage(parts.usageMeter, lifecycle.signal));
    lifecycle.onStop('bus link', () => this.link.stop());
    return { nodeId: parts.identity.nodeId, port: http.port, failed, stop: () => lifecycle.stop() };
  }

  private createLink(): BusLink {
    const { parts, events, metrics } = this;
    return new BusLink({
      ...parts,
      nodeId: parts.identity.nodeId,
      metrics,
      events,
      overlay: this.network.overlay,
      mesh: this.network.mesh,
      contact: this.contact,
      metricsPage: () => this.metricsPage(),
      describe: () => this.description.record(this.incarnation, this.http?.port ?? this.settings.port),
      onRegistered: () => markRegistered({ ...parts, ...this.settings }, this.incarnation),
      onEpoch: (epoch) => {
        this.beats.epoch = epoch;
      },
      onTakenOver: (error) => this.fail(error),
    });
  }

  private createTaskFiles(): TaskFiles {
    const { parts, settings, link } = this;
    const ask: PayloadSourceParts['ask'] = (request) => link.askForPayload(request);
    return createTaskFiles(new PayloadSource({ ...parts, stateDir: settings.stateDir, ask }), parts.volatileFolder);
  }

  private createProbers(): Probers | undefined {
    const { probeClient: client, clock, log } = this.parts;
    const onVerdict = (taskId: string) => this.supervisor.review(taskId);
    return client && new Probers({ client, clock, log, metrics: this.metrics, onVerdict });
  }

  private createSupervisor(): TaskSupervisor {
    const { parts, metrics, link } = this;
    return new TaskSupervisor({
      ...parts,
      metrics,
      clusterId: parts.identity.clusterId,
      incarnation: this.incarnation.incarnation,
      startsAtOnce: this.settings.startsAtOnce,
      executor: {
        images: this.images,
        ports: this.network.mesh,
        overlay: this.network.overlay,
        networks: parts.networks,
        files: this.taskFiles,
        place: () => this.description.place(),
      },
      contact: this.contact,
      probes: this.createProbers(),
      kill: (container) => parts.host.killProcess(container),
      onStatus: (status) => {
        link.report(status);
        if (status.removed) this.dropFiles(status.taskId);
        this.network.take(status);
      },
      onForgotten: (taskId) => {
        link.forget(taskId);
        this.dropFiles(taskId);
      },
      onChange: () => this.changed.poke(),
    });
  }

  private dropFiles(taskId: string): void {
    const live = () => this.tasks().filter(({ memory }) => !memory?.removed);
    this.taskFiles
      .drop(taskId)
      .then(() => this.taskFiles.keepOnly(live().map(({ record }) => record)))
      .catch((error: unknown) => {
        const fields = { taskId, error: messageOf(error) };
        this.parts.log.warn(fields, 'cannot remove the files of a task that is over: trying again after the next one');
      });
  }

  private createEngineWatch(): EngineWatch {
    return new EngineWatch({
      ...this.parts,
      metrics: this.metrics,
      clusterId: this.parts.identity.clusterId,
      supervisor: this.supervisor,
      onEvent: (event) => this.events.take(event),
      onListed: () => this.network.begin(),
      onResponsive: (responsive) => {
        this.beats.engineResponsive = responsive;
      },
    });
  }

  private async startHttp(): Promise<AgentHttp> {
    const { parts } = this;
    const http = await parts.serveHttp(this.settings.port, {
      log: parts.log,
      metricsPage: () => this.metricsPage(),
      healthy: () => ({
        healthy: true,
        why: this.beats.engineResponsive ? 'ok' : 'ok, but the engine does not answer',
      }),
    });
    this.http = http;
    this.lifecycle.onStop('http', () => http.stop());
    return http;
  }

  private startBeats(): void {
    this.beats.tick(this.parts.monotonicNs());
    const beats = this.parts.startBeats(this.beats, this.incarnation.incarnation);
    this.lifecycle.onStop('beats', () => beats.stop());
  }

  /** What was assigned before this start is taken up before the bus has said a word. */
  private async restoreAssignments(): Promise<void> {
    const { parts, metrics, settings, supervisor } = this;
    const { clusterId, nodeId } = parts.identity;
    const file = { ...parts, metrics, stateDir: settings.stateDir, clusterId, nodeId };
    const stored = await readAssignments(file);
    await this.contact.restore(stored.map(({ record }) => record));
    for (const { record, memory } of stored) supervisor.assign(record, memory);
    supervisor.checkPermits();
    const ended = new AbortController();
    const kept = keepAssignments(file, this.changed, this.tasks, ended.signal);
    this.lifecycle.onStop('assignment file', async () => {
      ended.abort();
      await kept;
    });
  }

  /** Turns as long as the main thread does, which is what the beats tell; and replaces the unhealthy when cut off. */
  private tick(signal: AbortSignal): Promise<void> {
    const turn = () => {
      this.beats.tick(this.parts.monotonicNs());
      this.supervisor.checkPermits();
      if (this.link.cutOffForMs !== undefined) this.replaceUnhealthy(this.link.cutOffForMs);
    };
    return every(this.parts.clock, TICK_MS, turn, signal);
  }

  private replaceUnhealthy(cutOffForMs: number): void {
    const tasks = this.tasks().map(healthView);
    for (const taskId of planUnhealthyReplacements(tasks, cutOffForMs, REPLACE_AFTER_MS)) {
      this.supervisor.replace(taskId, 'unhealthy container');
    }
  }

  /** Asks the engine what it is until it answers, then now and then; its first answer is also the moment to secure it. */
  private async keepDescribed(signal: AbortSignal): Promise<void> {
    const { parts, settings, description } = this;
    const refresh = async () => {
      const isFirst = description.rootDir === undefined;
      await description.refresh();
      if (!isFirst || !settings.manageLiveRestore) return;
      await ensureLiveRestore({ ...parts, docker: settings.docker, configFile: settings.dockerConfigFile });
    };
    const onError = (error: unknown) =>
      parts.log.warn({ error: messageOf(error) }, 'the engine does not say what it is: asking again');
    const times = { minGapMs: 10, resyncMs: DESCRIBE_MS, retryMs: DESCRIBE_RETRY_MS };
    await runLoop({ tick: refresh, poke: new Poke(), times, clock: parts.clock, onError }, signal);
  }

  private async keepHouse(signal: AbortSignal): Promise<void> {
    const { parts, settings, metrics, tasks, description, images } = this;
    const { stateDir, imageCleanupAbove: cleanupAbove } = settings;
    const rootDir = () => description.rootDir;
    const hasPulled = (image: string) => images.hasPulled(image);
    await keepHouse({ ...parts, metrics, stateDir, cleanupAbove, tasks, hasPulled, rootDir }, signal);
  }

  private async publishUsage(meter: UsageMeter, signal: AbortSignal): Promise<void> {
    const { parts, metrics, tasks, description, link } = this;
    const { nodeId } = parts.identity;
    const rootDir = () => description.rootDir;
    const publish = (usage: Usage) => {
      link.publish(subjects.usage(nodeId), { ...usage, networkWarnings: this.network.warnings });
    };
    const { traffic } = parts;
    const connections = traffic && (() => traffic.read(this.network.traffic));
    const counting = connections && { connections };
    await publishUsage({ ...parts, nodeId, metrics, meter, tasks, rootDir, publish, ...counting }, signal);
  }

  private async metricsPage(): Promise<MetricsPage> {
    const tasks = this.tasks();
    this.metrics.tasks.reset();
    for (const { memory } of tasks) this.metrics.tasks.inc({ state: memory?.state ?? 'assigned' });
    const ownContainers = tasks.flatMap((task) => task.containers);
    const { engineVersion: dockerVersion } = this.description;
    const own = Buffer.from(`${await this.parts.metrics.metrics()}\n`);
    const node = await this.parts.nodeMetrics.page({ ownContainers, dockerVersion });
    return { ...node, pieces: [own, ...node.pieces] };
  }

  private background(name: string, work: Promise<void>): void {
    const watched = work.catch((error) => {
      if (!this.lifecycle.signal.aborted)
        this.parts.log.error({ name, error: messageOf(error) }, 'a part of the agent ended');
    });
    this.lifecycle.onStop(name, () => watched);
  }
}
