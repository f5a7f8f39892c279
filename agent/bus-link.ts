/** The agent's side of the bus: connects for as long as it takes, registers, then feeds assignments in and statuses out. */
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView, Bus, Subscription } from '../bus/bus.ts';
import { subjects } from '../bus/subjects.ts';
import type { ImageRequest, RegistryAuthRequest } from '../model/image-transfer.ts';
import type { NodeRecord } from '../model/node-record.ts';
import { type PayloadRequest, SealedPayload } from '../model/payload.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { Poke, runLoop } from '../runtime/loop.ts';
import type { TcpProbe } from '../runtime/tcp-probe.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { AssignmentFeed } from './assignment-feed.ts';
import type { Contact } from './contact.ts';
import type { ContainerEvents } from './container-events.ts';
import type { Engine } from './engine/engine.ts';
import type { EnginePassage } from './engine/engine-passage.ts';
import { answerEngineSessions } from './engine-sessions.ts';
import { linkMesh } from './mesh-link.ts';
import type { MetricsPage } from './metrics/page-writer.ts';
import type { Mesh } from './network/mesh/mesh.ts';
import type { Overlay } from './network/overlay/overlay.ts';
import { answerNetworkChecks, type NetworkTools } from './network-requests.ts';
import { answerRequests } from './node-requests.ts';
import { linkOverlay } from './overlay-link.ts';
import type { UnnumberedStatus } from './plan/status.ts';
import { cloneError, isTakenOver, refuseSecond, register } from './registration.ts';
import { StatusReporter } from './status-reporter.ts';
import type { TaskSupervisor } from './task-supervisor.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };
const FULL_PASS_MS = 30_000;
const PAYLOAD_TIMEOUT_MS = 5_000;

export interface BusConnection {
  readonly bus: Bus;
  readonly buckets: Buckets;
}

export interface BusLinkParts {
  /** Opens a connection for a purpose; called until it succeeds. */
  readonly connect: (purpose: 'state' | 'streams') => Promise<BusConnection>;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  readonly engine: Engine;
  readonly passage: EnginePassage;
  readonly probe: TcpProbe;
  readonly events: ContainerEvents;
  readonly overlay: Overlay;
  readonly mesh: Mesh;
  readonly contact: Contact;
  readonly networkTools?: NetworkTools | undefined;
  /** The page this agent serves under /metrics. */
  readonly metricsPage: () => Promise<MetricsPage>;
  /** What this host is now. Throws while the engine has not answered yet. */
  readonly describe: () => Promise<NodeRecord>;
  readonly onRegistered: () => Promise<void>;
  readonly onEpoch: (epoch: number) => void;
  /** This agent must not go on: another one runs as this node. */
  readonly onTakenOver: (error: PlimsollError) => void;
}

export class BusLink {
  private readonly parts: BusLinkParts;
  private readonly lifecycle: Lifecycle;
  private reporter: StatusReporter | undefined;
  private bus: Bus | undefined;
  private streams: Bus | undefined;
  /** Once what the bus has for this node has been handed on. */
  private assignments: Pick<BucketView<TaskRecord>, 'current'> | undefined;
  private cutOffAtMs: number;

  constructor(parts: BusLinkParts) {
    this.parts = parts;
    this.lifecycle = new Lifecycle(parts.log);
    this.cutOffAtMs = parts.clock.elapsedMs();
  }

  /** How long the bus has been away; undefined while it is there. */
  get cutOffForMs(): number | undefined {
    return this.bus?.connected ? undefined : this.parts.clock.elapsedMs() - this.cutOffAtMs;
  }

  report(status: UnnumberedStatus): void {
    this.reporter?.report(status);
  }

  /** Says it to whoever listens; lost while the bus is away. */
  publish(subject: string, message: unknown): void {
    if (this.bus?.connected) this.bus.publish(subject, message);
  }

  /** Asks the cluster for a content; `unavailable` while the bus is away. */
  async askForPayload(request: PayloadRequest): Promise<SealedPayload> {
    const { bus } = this;
    if (bus === undefined) throw new PlimsollError('unavailable', 'the bus has not been reached yet');
    return bus.request(subjects.payloads(this.parts.nodeId), request, SealedPayload, PAYLOAD_TIMEOUT_MS);
  }

  /** Asks the cluster for a task's registry credentials; no chunk: there are none. */
  askForRegistryAuth(request: RegistryAuthRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.askedStreams().askCoordinatorStream(this.parts.nodeId, 'registry-auth', request, signal);
  }

  /** Asks the cluster for an image another node has; `unavailable` while the bus is away. */
  askForImage(request: ImageRequest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.askedStreams().askCoordinatorStream(this.parts.nodeId, 'image', request, signal);
  }

  private askedStreams(): Bus {
    if (this.streams !== undefined) return this.streams;
    throw new PlimsollError('unavailable', 'the bus has not been reached yet');
  }

  forget(taskId: string): void {
    this.reporter?.forget(taskId);
  }

  /** Attaches the supervisor to the bus, however long that takes. */
  async run(supervisor: TaskSupervisor): Promise<void> {
    const { bus, buckets } = await this.connect('state');
    this.lifecycle.onStop(
      'connection watch',
      bus.onConnectionChange((connected) => this.noteConnection(connected)),
    );
    this.bus = bus;
    const knowsAll = () => this.assignments?.current === true;
    void this.parts.contact.keep(bus, supervisor, knowsAll, this.lifecycle.signal);
    await this.untilDone('register this node', async () => {
      const own = await this.parts.describe();
      await refuseSecond(bus, own);
      await register(buckets.nodes, own);
    });
    await this.parts.onRegistered();
    await this.untilDone('watch this node', () => this.watchOwnRecord(buckets));
    await this.untilDone('report statuses', () => this.startReporting(buckets, supervisor));
    await this.untilDone('watch assignments', () => this.startFeeding(buckets, supervisor));
    this.lifecycle.onStop('networks', this.followNetworks(bus, buckets));
    const { bus: streams } = await this.connect('streams');
    this.streams = streams;
    const answers = [
      ...answerRequests({ ...this.parts, bus, streams, supervisor }),
      answerEngineSessions({ ...this.parts, streams }),
      ...this.answerNetworkChecks(bus, supervisor),
    ];
    this.lifecycle.onStop('answers', () => answers.forEach((answer) => answer.stop()));
    this.parts.events.attach(bus);
    this.parts.log.info({ nodeId: this.parts.nodeId }, 'this node takes part in the cluster');
  }

  stop(): Promise<void> {
    return this.lifecycle.stop();
  }

  private answerNetworkChecks(bus: Bus, supervisor: TaskSupervisor): Subscription[] {
    const { networkTools: tools, nodeId, overlay } = this.parts;
    return tools ? answerNetworkChecks({ bus, nodeId, tools, overlay, here: supervisor.here }) : [];
  }

  /** Answers the wait for its end. */
  private followNetworks(bus: Bus, buckets: Buckets): () => Promise<void> {
    const { signal } = this.lifecycle;
    const onError = (error: unknown) => {
      this.parts.log.error({ error: messageOf(error) }, 'the networks of the cluster are not followed any more');
    };
    const overlay = linkOverlay(bus, buckets, this.parts, signal).catch(onError);
    const mesh = linkMesh(bus, buckets, this.parts, signal).catch(onError);
    return async () => void (await Promise.all([overlay, mesh]));
  }

  private async connect(purpose: 'state' | 'streams'): Promise<BusConnection> {
    const connection = await this.untilDone(`connect to the bus for ${purpose}`, () => this.parts.connect(purpose));
    if (this.lifecycle.signal.aborted) await connection.bus.close();
    this.lifecycle.signal.throwIfAborted();
    this.lifecycle.onStop(`bus for ${purpose}`, () => connection.bus.close());
    return connection;
  }

  private noteConnection(connected: boolean): void {
    this.parts.log.warn({ connected }, 'the connection to the bus changed');
    if (connected) this.reporter?.sendAll();
    else this.cutOffAtMs = this.parts.clock.elapsedMs();
  }

  private async watchOwnRecord({ nodes }: Buckets): Promise<void> {
    const { nodeId, describe, clock, log, onTakenOver } = this.parts;
    const view = await nodes.watch(nodeId);
    this.lifecycle.onStop('own record', () => view.close());
    const tick = async () => {
      const own = await describe();
      const stored = view.entries.get(nodeId)?.value;
      if (stored && isTakenOver(stored, own)) onTakenOver(cloneError(stored, own));
      else await register(nodes, own);
    };
    const poke = new Poke();
    view.onChange(() => poke.poke());
    const onError = (error: unknown) =>
      log.warn({ error: messageOf(error) }, 'cannot keep the record of this node up to date');
    const times = { minGapMs: 100, resyncMs: FULL_PASS_MS, retryMs: 1_000 };
    void runLoop({ tick, poke, times, clock, onError }, this.lifecycle.signal);
  }

  private async startReporting({ statuses }: Buckets, supervisor: TaskSupervisor): Promise<void> {
    const { nodeId, clock, log, metrics } = this.parts;
    const view = await statuses.watch(`${nodeId}.>`);
    const reporter = new StatusReporter({ statuses, nodeId, clock, log, metrics });
    this.reporter = reporter;
    supervisor.reportAll();
    const isKnown = (taskId: string) => supervisor.here.isHere(taskId);
    const stopListening = view.onChange((keys) => reporter.restore(view, keys));
    void this.each(FULL_PASS_MS, () => reporter.compareWith(view, isKnown));
    this.lifecycle.onStop('status view', async () => {
      stopListening();
      await view.close();
    });
    this.lifecycle.onStop('status reporter', () => reporter.stop());
  }

  private async startFeeding({ tasks }: Buckets, supervisor: TaskSupervisor): Promise<void> {
    const { nodeId, log, metrics } = this.parts;
    const view = await tasks.watch(`${nodeId}.>`);
    const feed = new AssignmentFeed({ nodeId, tasks, view, supervisor, log, metrics });
    const pass = async () => {
      await feed.pass();
      this.parts.onEpoch(feed.epoch);
    };
    await pass();
    this.assignments = view;
    void this.each(FULL_PASS_MS, pass);
    const stopNoting = view.onChange(() => this.parts.onEpoch(feed.epoch));
    this.lifecycle.onStop('assignment view', () => view.close());
    this.lifecycle.onStop('assignment feed', async () => {
      stopNoting();
      await feed.stop();
    });
  }

  private async each(intervalMs: number, work: () => void | Promise<void>): Promise<void> {
    const { signal } = this.lifecycle;
    while (!signal.aborted) {
      await this.parts.clock.sleep(intervalMs, signal).catch(() => undefined);
      if (!signal.aborted) await work();
    }
  }

  private async untilDone<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { signal } = this.lifecycle;
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) throw error;
        if (error instanceof PlimsollError && error.code === 'precondition') {
          this.parts.onTakenOver(error);
          throw error;
        }
        const retryMs = backoffMs(RETRY, failures);
        this.parts.log.warn(
          { what, error: messageOf(error), retryMs },
          'the bus did not serve the agent: trying again',
        );
        await this.parts.clock.sleep(retryMs, signal);
      }
    }
  }
}
