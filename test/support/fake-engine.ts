/**
 * A Docker Engine in memory. Without a clock everything happens at once; with one, calls take their time, containers live
 * their lives, and the engine fails, hangs, crashes and forgets to tell as the real one does. It passes the same contract
 * suite as Docker itself (test/contract/engine-suite.ts).
 */
import type { ContainerRequest } from '../../agent/container-spec.ts';
import type { Engine, EngineDescription, EngineEvent } from '../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../agent/plan/observed-container.ts';
import { containerLabels } from '../../model/labels.ts';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { type ContainerBehaviour, ContainerHost } from './fake-engine/container-host.ts';
import { rawInspection, rawRow } from './fake-engine/raw-replies.ts';

export type EngineCallKind =
  | 'ping'
  | 'describe'
  | 'list'
  | 'look'
  | 'create'
  | 'start'
  | 'stop'
  | 'remove'
  | 'image'
  | 'pull'
  | 'remove image'
  | 'events'
  | 'logs';

export interface FakeEngineOptions {
  /** The time calls and containers take; without one, none. */
  readonly clock?: Clock;
  /** From 0 to less than 1. */
  readonly random?: () => number;
  /** Whether containers live on while dockerd is dead; default true. */
  readonly liveRestore?: boolean;
  /** Hears what really happens to containers, whoever is told of it. */
  readonly onHappened?: (event: EngineEvent) => void;
  /** How long a call takes, by kind: from, to. */
  readonly delaysMs?: Partial<Record<EngineCallKind, readonly [number, number]>>;
}

/** As DockerEngine's. */
const deadlinesMs: Record<EngineCallKind, number> = {
  ping: 2_000,
  describe: 10_000,
  list: 10_000,
  look: 10_000,
  create: 30_000,
  start: 30_000,
  stop: 30_000,
  remove: 30_000,
  image: 10_000,
  pull: 60_000,
  'remove image': 30_000,
  events: 10_000,
  logs: 10_000,
};

const DESCRIPTION: EngineDescription = {
  version: '28.5.2',
  apiVersion: '1.51',
  os: 'linux',
  architecture: 'x86_64',
  hostname: 'fake',
  labels: {},
  plugins: [],
  liveRestore: true,
  loggingDriver: 'json-file',
  rootDir: '/nowhere',
  cpus: 2,
  generic: [],
  memoryBytes: 2 ** 30,
};

/** What dockerd does to running containers it finds at its start when it may not let them live. */
const KILLED_AT_RESTART_EXIT = 137;
const HOST_ENDED_EXIT = 255;

interface EventListener {
  readonly clusterId: string;
  readonly onEvent: (event: EngineEvent) => void;
  readonly onEnd: () => void;
}

export class FakeEngine implements Engine {
  /** Every container of the host, of any owner, as it really is. */
  readonly containers: Map<string, ObservedContainer>;
  /** What was asked of it, in order: `create web.1`, `start ...`. */
  readonly calls: string[] = [];
  /** While set, every call fails with it. */
  failure: PlimsollError | undefined;
  /** While set, calls of that kind fail with it. */
  readonly failures = new Map<EngineCallKind, PlimsollError>();
  /** While false, nothing is told to those who follow events, though their streams stay open. */
  tellsEvents = true;
  isUp = true;
  /** Counts crashes: a call under way then is never done. */
  private crashes = 0;
  /** Images that are not here: how long a pull takes, or the registry's words. Others are here. */
  readonly missingImages = new Map<string, { readonly pullMs: number } | { readonly refusal: string }>();
  /** Of image archives. */
  loadedBytes = 0;
  private readonly host: ContainerHost;
  private readonly options: FakeEngineOptions;
  private readonly listeners = new Set<EventListener>();
  /** Kinds of calls that get no answer now. */
  private readonly hanging = new Set<EngineCallKind>();
  private stuck: (() => void)[] = [];
  private readonly answersToLose = new Map<EngineCallKind, number>();
  /** Calls under way, to be failed when dockerd dies. */
  private readonly underWay = new Set<(error: PlimsollError) => void>();

  constructor(options: FakeEngineOptions = {}) {
    this.options = options;
    this.host = new ContainerHost(options.clock, (event) => this.tell(event));
    this.containers = this.host.containers;
  }

  /** Counts whatever happens to containers. */
  get changes(): number {
    return this.host.changes;
  }

  // ---- what befalls it ----

  /** How containers made from now on behave. */
  set behaviourOf(behaviourOf: (request: ContainerRequest) => ContainerBehaviour) {
    this.host.behaviourOf = behaviourOf;
  }

  /** Ends a running container as the kernel would. */
  exit(containerId: string, exitCode: number, oomKilled = false): void {
    this.host.exit(containerId, exitCode, oomKilled);
  }

  setHealth(containerId: string, health: 'healthy' | 'unhealthy'): void {
    this.host.setHealth(containerId, health);
  }

  change(containerId: string, change: Partial<ObservedContainer>): void {
    this.host.change(containerId, change);
  }

  /** A container of somebody else, running. */
  addForeign(name: string): string {
    const id = this.host.create({ name, body: { Image: 'foreign:1', Labels: {} } });
    this.host.start(id);
    return id;
  }

  /** The removal of a container begins and takes until `endRemoval()`. */
  beginRemoval(containerId: string): void {
    this.host.beginRemoval(containerId);
  }

  endRemoval(containerId: string): void {
    this.host.destroy(containerId);
  }

  /** Calls of these kinds (default: all) get no answer until `unhang()`; they are done then, though their callers gave up. */
  hang(...kinds: readonly EngineCallKind[]): void {
    const all = Object.keys(deadlinesMs) as EngineCallKind[];
    for (const kind of kinds.length > 0 ? kinds : all) this.hanging.add(kind);
  }

  unhang(): void {
    this.hanging.clear();
    for (const work of this.stuck.splice(0)) work();
  }

  /** The next `count` calls of a kind are done, but nothing says so. */
  loseAnswers(kind: EngineCallKind, count: number): void {
    this.answersToLose.set(kind, count);
  }

  /** Every call is answered again. */
  loseNoAnswers(): void {
    this.answersToLose.clear();
  }

  /** Ends every stream of events. */
  breakEvents(): void {
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const { onEnd } of listeners) onEnd();
  }

  /** SIGKILL to dockerd: calls fail, event streams end, containers run on. */
  crash(): void {
    this.isUp = false;
    this.crashes += 1;
    this.hanging.clear();
    this.stuck = [];
    for (const fail of this.underWay) fail(unreachable());
    this.breakEvents();
  }

  /** Dockerd starts again; without live-restore it kills what it finds running. */
  restart(): void {
    this.isUp = true;
    if (!(this.options.liveRestore ?? true)) this.host.exitAll(KILLED_AT_RESTART_EXIT);
  }

  /** The host loses its power: every container ends, and dockerd with them. */
  powerOff(): void {
    this.crash();
    this.host.exitAll(HOST_ENDED_EXIT);
  }

  // ---- Engine ----

  ping(): Promise<void> {
    return this.call('ping', 'ping', () => undefined);
  }

  describe(): Promise<EngineDescription> {
    return this.call('describe', 'describe', () => ({
      ...DESCRIPTION,
      liveRestore: this.options.liveRestore ?? DESCRIPTION.liveRestore,
    }));
  }

  listOwn(clusterId: string): Promise<ObservedContainer[]> {
    return this.call('list', 'list', () =>
      [...this.containers.values()].filter((container) => isOf(clusterId, container)),
    );
  }

  look(clusterId: string, idOrName: string): Promise<ObservedContainer | undefined> {
    return this.call('look', 'look', () => {
      const found = this.host.find(idOrName);
      return found && isOf(clusterId, found) ? found : undefined;
    });
  }

  listRaw(all: boolean): Promise<Record<string, unknown>[]> {
    return this.call('list', 'list all', () =>
      [...this.containers.values()].filter(({ phase }) => all || phase === 'running').map(rawRow),
    );
  }

  inspectRaw(idOrName: string): Promise<Record<string, unknown>> {
    return this.call('look', 'inspect', () => rawInspection(this.require(idOrName)));
  }

  create(request: ContainerRequest): Promise<string> {
    return this.call('create', `create ${request.name}`, () => {
      const image = String(request.body.Image);
      if (this.missingImages.has(image)) throw new PlimsollError('not-found', `No such image: ${image}`);
      return this.host.create(request);
    });
  }

  start(containerId: string): Promise<void> {
    return this.call('start', `start ${containerId}`, () => this.host.start(containerId));
  }

  stop(containerId: string, graceMs: number): Promise<void> {
    return this.call('stop', `stop ${containerId}`, () => this.stopped(containerId, graceMs), graceMs);
  }

  remove(containerId: string): Promise<void> {
    return this.call('remove', `remove ${containerId}`, () => this.host.remove(containerId));
  }

  hasImage(reference: string): Promise<boolean> {
    return this.call('image', `image ${reference}`, () => !this.missingImages.has(reference));
  }

  pull(reference: string, signal: AbortSignal): Promise<void> {
    return this.call('pull', `pull ${reference}`, () => this.pulled(reference, signal), Number.POSITIVE_INFINITY);
  }

  loadImage(archive: AsyncIterable<Uint8Array>): Promise<void> {
    return this.call('pull', 'load', async () => {
      for await (const chunk of archive) this.loadedBytes += chunk.length;
    });
  }

  tagImage(imageId: string, reference: string): Promise<void> {
    return this.call('image', `tag ${imageId} ${reference}`, () => void this.missingImages.delete(reference));
  }

  removeImage(reference: string): Promise<void> {
    return this.call('remove image', `remove image ${reference}`, () => {
      const isUsed = [...this.containers.values()].some(({ image }) => image === reference);
      if (!isUsed) this.missingImages.set(reference, { pullMs: 0 });
    });
  }

  events(
    clusterId: string,
    onEvent: (event: EngineEvent) => void,
    onEnd: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const listener = { clusterId, onEvent, onEnd };
    return this.call('events', 'events', () => {
      this.listeners.add(listener);
      const end = () => this.listeners.delete(listener) && onEnd();
      signal.addEventListener('abort', end, { once: true });
    });
  }

  // biome-ignore lint/correctness/useYield: a container without output
  async *logs(containerId: string): AsyncGenerator<Uint8Array> {
    await this.call('logs', 'logs', () => this.require(containerId));
  }

  // biome-ignore lint/correctness/useYield: a container whose usage nobody measures
  async *stats(idOrName: string): AsyncGenerator<Uint8Array> {
    await this.call('logs', 'stats', () => this.require(idOrName));
  }

  // ---- how calls go ----

  private async call<T>(kind: EngineCallKind, words: string, work: () => T | Promise<T>, moreMs = 0): Promise<T> {
    const failure = this.failure ?? this.failures.get(kind);
    if (failure) throw failure;
    if (!this.isUp) throw unreachable();
    this.calls.push(words);
    const { clock } = this.options;
    if (!clock) return work();
    const result = this.isPrompt(kind) ? work() : this.carryOut(kind, work, clock);
    if (!(result instanceof Promise)) return result;
    const limitMs = deadlinesMs[kind] + moreMs;
    const answer = this.breakable(result);
    if (!Number.isFinite(limitMs)) return answer;
    const late = () => new PlimsollError('timeout', `The engine did not answer "${words}" within ${limitMs / 1000} s`);
    return withDeadline(clock, limitMs, answer, late);
  }

  /** Nothing is in the way of such calls, and they take no time. */
  private isPrompt(kind: EngineCallKind): boolean {
    const takesTime = this.options.delaysMs?.[kind] !== undefined;
    return !takesTime && !this.hanging.has(kind) && !this.answersToLose.get(kind);
  }

  private async carryOut<T>(kind: EngineCallKind, work: () => T | Promise<T>, clock: Clock): Promise<T> {
    const { crashes } = this;
    const [minMs, maxMs] = this.options.delaysMs?.[kind] ?? [0, 0];
    const random = this.options.random ?? (() => 0);
    if (maxMs > 0) await clock.sleep(minMs + random() * (maxMs - minMs));
    if (this.hanging.has(kind)) await new Promise<void>((resolve) => this.stuck.push(resolve));
    if (crashes !== this.crashes) throw unreachable();
    const isLost = this.losesAnswer(kind);
    const answer = await work();
    return isLost ? new Promise<never>(() => undefined) : answer;
  }

  /** As the answer, or `unavailable` when dockerd dies before. */
  private breakable<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.underWay.add(reject);
      answer.then(resolve, reject).finally(() => this.underWay.delete(reject));
    });
  }

  private losesAnswer(kind: EngineCallKind): boolean {
    const left = this.answersToLose.get(kind) ?? 0;
    this.answersToLose.set(kind, Math.max(0, left - 1));
    return left > 0;
  }

  private stopped(containerId: string, graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel = () => {};
      const done = () => {
        cancel();
        resolve();
      };
      if (!this.host.terminate(containerId, done)) return resolve();
      if (this.containers.get(containerId)?.phase !== 'running') return;
      const kill = () => this.isUp && this.host.kill(containerId);
      if (this.options.clock) cancel = this.options.clock.after(graceMs, kill);
      else kill();
    });
  }

  private async pulled(reference: string, signal: AbortSignal): Promise<void> {
    const missing = this.missingImages.get(reference);
    if (!missing) return;
    if ('refusal' in missing) throw new PlimsollError('not-found', missing.refusal);
    await this.options.clock?.sleep(missing.pullMs, signal).catch(() => {
      throw new PlimsollError('timeout', `Pulling ${reference} was given up`);
    });
    this.missingImages.delete(reference);
  }

  private tell(event: EngineEvent): void {
    this.options.onHappened?.(event);
    if (!this.isUp || !this.tellsEvents) return;
    const cluster = event.attributes[containerLabels.cluster];
    for (const listener of this.listeners) if (listener.clusterId === cluster) listener.onEvent(event);
  }

  private require(idOrName: string): ObservedContainer {
    const found = this.host.find(idOrName);
    if (!found) throw new PlimsollError('not-found', `No such container: ${idOrName}`);
    return found;
  }
}

function isOf(clusterId: string, { labels }: ObservedContainer): boolean {
  return labels[containerLabels.cluster] === clusterId;
}

function unreachable(): PlimsollError {
  return new PlimsollError('unavailable', 'Cannot reach the container engine: is dockerd running?');
}
