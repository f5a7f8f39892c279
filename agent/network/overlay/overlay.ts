/**
 * The networks of the cluster on this node: gives containers their addresses, keeps kernel and resolver at what the
 * cluster's records and this node's tasks make of it, and says what the plan announces. Nothing is touched before the
 * first task wants a network.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EndpointRecord, NetRecord, SubnetRecord } from '../../../model/network-records.ts';
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { aborted } from '../../../runtime/aborted.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { JsonFiles } from '../../../runtime/files.ts';
import { gatewayOf } from '../../../runtime/ipv4.ts';
import type { Log } from '../../../runtime/log.ts';
import { Poke, runLoop } from '../../../runtime/loop.ts';
import { SerialQueue } from '../../../runtime/serial-queue.ts';
import { zonePath } from '../../dns/zone.ts';
import type { EndpointRequest } from '../../engine/docker-networks.ts';
import { AwaitedTurns } from '../awaited-turns.ts';
import { addressesOf, pickAddress, rangeHolding } from './addresses.ts';
import { KnownNetworks, knownNetworksPath, withKeptRanges } from './known-networks.ts';
import { localTask, type Reservation, type TaskHere } from './local-tasks.ts';
import type { OverlayHost } from './overlay-host.ts';
import { containerMac, engineNetworkName } from './overlay-names.ts';
import type { LocalTask, MeshReach, OverlayView, TaskAddress } from './overlay-view.ts';
import { bridgesOf, type OverlayPlan, planOverlay } from './plan-overlay.ts';
import { TaskReadiness } from './task-readiness.ts';

/** A new container's place on a network. */
export interface Attachment extends EndpointRequest, TaskAddress {
  /** The bridge's address: where the resolver is. */
  readonly gateway: string;
}

/** The other nodes as this one speaks to them. */
export interface OtherNodes {
  /** Told after every turn. Rejects while they cannot be. */
  tell(announcements: readonly EndpointRecord[]): Promise<void>;
  /** Resolves when the nodes on these networks do as they were told last, or do not answer in time. Never rejects. */
  haveHeard(networkIds: readonly string[]): Promise<void>;
}

const nobodyElse: OtherNodes = { tell: async () => undefined, haveHeard: async () => undefined };

export interface OverlayParts {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly stateDir: string;
  readonly host: Pick<OverlayHost, 'apply' | 'makeBridges' | 'check' | 'doubt'>;
  readonly files: JsonFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly tasks: () => readonly TaskHere[];
}

/** How long a container waits for the leader to give its node a range. */
const RANGE_WAIT_MS = 5_000;
const RANGE_POLL_MS = 20;
/** Nobody sends a task new connections any more: those on their way still reach it, short requests come to their end. */
const DRAIN_MS = 250;
/** Who asked for a name just before goes on using the answer for a second. */
const DRAIN_NAMES_MS = 1_250;
const CHECK_MS = 2_000;
const FULL_PASS_MS = 30_000;
const RETRY_MS = 1_000;
const FULL_PASS = { minGapMs: FULL_PASS_MS, resyncMs: FULL_PASS_MS, retryMs: RETRY_MS };

export class Overlay {
  private readonly parts: OverlayParts;
  private readonly poke = new Poke();
  private readonly readiness = new TaskReadiness();
  private readonly reservations = new Map<string, Reservation>();
  private readonly lastPicked = new Map<string, string>();
  private nets: readonly NetRecord[] = [];
  private endpoints: readonly EndpointRecord[] = [];
  private mesh: MeshReach | undefined;
  /** Undefined until the engine's containers and the cluster's records are known: until then nothing is changed. */
  private state: 'unknown' | 'known' = 'unknown';
  private begun = false;
  private noteNeed: () => void = () => undefined;
  /** Resolves when the first task of this node wants a network of the cluster. */
  readonly needed: Promise<void>;
  others: OtherNodes = nobodyElse;
  private readonly turns = new AwaitedTurns();
  private readonly queue = new SerialQueue();
  private written = { zone: '', known: '' };
  /** Why this host is not as planned; undefined while it is. */
  trouble: string | undefined;

  constructor(parts: OverlayParts) {
    this.parts = parts;
    this.needed = new Promise((resolve) => {
      this.noteNeed = resolve;
    });
  }

  /** The engine's containers are known: from now on absence means something. */
  async begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    if (!this.wantsNetworks()) return;
    this.noteNeed();
    await this.recall();
  }

  /** What the cluster's records say now; resolves when this host does as they say, or never if much was learnt since. */
  learn(nets: readonly NetRecord[], endpoints: readonly EndpointRecord[]): Promise<void> {
    this.nets = withKeptRanges(nets, this.nets, this.parts.nodeId, this.networksInUse());
    this.endpoints = endpoints;
    this.state = 'known';
    this.poke.poke();
    return this.turns.next();
  }

  /** Where the routing mesh has to reach; undefined when it needs no tunnel. Resolves when this host has one. */
  async reach(mesh: MeshReach | undefined): Promise<void> {
    if (isDeepStrictEqual(mesh, this.mesh)) return;
    this.mesh = mesh;
    if (mesh) this.noteNeed();
    await this.turn();
  }

  /** Called for every status of a task: it became ready or is no longer, its container came or went. */
  take({ taskId, ready }: { readonly taskId: string; readonly ready: boolean }): void {
    this.readiness.note(taskId, ready);
    if (this.state === 'known') this.poke.poke();
  }

  /**
   * Chooses a container's addresses and makes every table know them. Throws `precondition` when the leader gives this node
   * no range, or none with a free address, in time.
   */
  async attach(record: TaskRecord, attempt: number): Promise<Attachment[]> {
    const targets = overlayAttachments(record.template).map(({ Target }) => Target);
    if (targets.length === 0) return [];
    this.noteNeed();
    const ranges = await this.rangesFor(targets);
    const [first] = ranges;
    if (first) await this.queue.run(() => this.parts.host.makeBridges(ranges.flatMap(bridgesOf), first.nodeAddress));
    const addresses = ranges.map((range) => this.pick(range));
    this.reservations.set(record.id, { attempt, addresses });
    await this.turn();
    return addresses.map((place) => attachmentOf(place, ranges));
  }

  /**
   * The places a container was given when it was made, by its labels. Throws `precondition` when the ranges they are from
   * are no longer this node's.
   */
  placesOf(labels: Readonly<Record<string, string>>): Attachment[] {
    return addressesOf(labels).map((place) => {
      const range = this.ownRange(place.networkId);
      if (range && rangeHolding(range.subnets, place.address) !== undefined) return attachmentOf(place, [range]);
      const words = `Cannot connect to network ${place.networkId}: this node has no range with ${place.address}`;
      throw new PlimsollError('precondition', words);
    });
  }

  /**
   * Sends a task no new connections; resolves when this host and the others on its networks do so, and what was on its way
   * has had time to arrive. Call it before SIGTERM. Never rejects: a container that has to go goes.
   */
  async withdraw(taskId: string): Promise<void> {
    const wasAsked = this.readiness.withdraw(taskId);
    const task = this.localTasks().find((each) => each.taskId === taskId);
    if (!wasAsked || task === undefined || task.addresses.length === 0) return;
    await this.turn().catch((error: unknown) => {
      this.parts.log.error({ taskId, error: messageOf(error) }, 'could not take a task out of the networks');
    });
    await this.others.haveHeard(task.addresses.map(({ networkId }) => networkId));
    await this.parts.clock.sleep(this.hasVirtualAddress(task) ? DRAIN_MS : DRAIN_NAMES_MS);
  }

  /** What everything is planned from at this moment. */
  snapshot(): OverlayView {
    return this.view();
  }

  /** Keeps the host at the plan until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, log, host } = this.parts;
    await Promise.race([this.needed, aborted(signal)]);
    if (signal.aborted) return;
    const onError = (error: unknown) =>
      log.error({ error: messageOf(error) }, 'cannot keep the networks of the cluster: trying again');
    const loop = { clock, onError, poke: this.poke, tick: () => this.turn() };
    const checking = { clock, onError, poke: new Poke(), tick: () => this.queue.run(() => host.check()) };
    const full = async () => this.queue.run(async () => host.doubt()).then(() => this.turn());
    await Promise.all([
      runLoop({ ...loop, times: { minGapMs: 0, resyncMs: FULL_PASS_MS, retryMs: RETRY_MS } }, signal),
      runLoop({ ...checking, times: { minGapMs: CHECK_MS, resyncMs: CHECK_MS, retryMs: RETRY_MS } }, signal),
      runLoop({ ...loop, poke: new Poke(), tick: full, times: FULL_PASS }, signal),
    ]);
  }

  /** One change at a time; each looks at the wishes of its own moment. */
  private turn(): Promise<void> {
    return this.queue.run(() => this.keep());
  }

  private async keep(): Promise<void> {
    if (!this.begun || this.state === 'unknown') return;
    await this.turns.take(() => this.bringTo(planOverlay(this.view())));
  }

  private async bringTo(plan: OverlayPlan): Promise<void> {
    // What one part cannot do keeps none of the others from its work.
    const applied = this.parts.host.apply(plan);
    const written = applied.catch(() => undefined).then(() => this.write(plan));
    const done = await Promise.allSettled([this.announce(plan), applied, written]);
    const failed = done.find((part) => part.status === 'rejected');
    this.trouble = failed && messageOf(failed.reason);
    if (failed) throw failed.reason;
  }

  /** The others may hear of it while our own kernel is still at it. A bus that is away is told when it is back. */
  private async announce({ announcements }: OverlayPlan): Promise<void> {
    await this.others.tell(announcements).catch((error: unknown) => {
      this.parts.log.warn({ error: messageOf(error) }, 'could not tell the other nodes of this one’s tasks yet');
    });
  }

  /** After the kernel: to think out and write the names of many services takes longer than to change one element there. */
  private async write(plan: OverlayPlan): Promise<void> {
    const { files, stateDir, clusterId } = this.parts;
    const zone = plan.zone();
    const known: KnownNetworks = { v: 1, clusterId, nets: [...this.nets], endpoints: [...this.endpoints] };
    const texts = { zone: JSON.stringify(zone), known: JSON.stringify(known) };
    if (texts.zone !== this.written.zone) await files.write(zonePath(stateDir), zone);
    if (texts.known !== this.written.known) await files.write(knownNetworksPath(stateDir), known);
    this.written = texts;
  }

  private view(): OverlayView {
    const { nodeId } = this.parts;
    return { nodeId, nets: this.nets, endpoints: this.endpoints, tasks: this.localTasks(), mesh: this.mesh };
  }

  private localTasks(): LocalTask[] {
    const here = this.parts.tasks();
    const ids = new Set(here.map(({ record }) => record.id));
    for (const id of this.reservations.keys()) if (!ids.has(id)) this.forget(id);
    return here.flatMap((task) => {
      const { id } = task.record;
      return localTask(task, this.reservations.get(id), this.readiness.mayBeAsked(id)) ?? [];
    });
  }

  private forget(taskId: string): void {
    this.reservations.delete(taskId);
    this.readiness.forget(taskId);
  }

  private hasVirtualAddress({ serviceId, addresses }: LocalTask): boolean {
    return addresses.every(({ networkId }) =>
      this.nets.some((net) => net.kind === 'vip' && net.networkId === networkId && net.serviceId === serviceId),
    );
  }

  private wantsNetworks(): boolean {
    return this.parts.tasks().some(({ record }) => overlayAttachments(record.template).length > 0);
  }

  private networksInUse(): ReadonlySet<string> {
    return new Set(this.localTasks().flatMap(({ addresses }) => addresses.map(({ networkId }) => networkId)));
  }

  /** What the last agent of this host knew; the bus knows better as soon as it is there. */
  private async recall(): Promise<void> {
    const { files, stateDir, clusterId, log } = this.parts;
    try {
      const json = await files.read(knownNetworksPath(stateDir));
      if (json === undefined) return;
      const known = KnownNetworks.parse(json);
      if (known.clusterId === clusterId && this.state === 'unknown') void this.learn(known.nets, known.endpoints);
    } catch (error) {
      log.error({ error: messageOf(error) }, 'cannot read what was known of networks: waiting for the bus');
    }
  }

  private async rangesFor(networkIds: readonly string[]): Promise<SubnetRecord[]> {
    const { clock } = this.parts;
    const untilMs = clock.elapsedMs() + RANGE_WAIT_MS;
    for (;;) {
      const own = networkIds.map((id) => this.ownRange(id));
      const missing = networkIds.filter((_, index) => own[index] === undefined);
      const ranges = own.filter((range) => range !== undefined);
      const full = ranges.find((range) => this.freeAddress(range) === undefined);
      if (missing.length === 0 && full === undefined) return ranges;
      if (clock.elapsedMs() >= untilMs) throw full ? usedUp(full) : noRange(missing);
      await clock.sleep(RANGE_POLL_MS);
    }
  }

  private ownRange(networkId: string): SubnetRecord | undefined {
    for (const record of this.nets) {
      if (record.kind !== 'subnet' || record.nodeId !== this.parts.nodeId) continue;
      if (record.network.id === networkId) return record;
    }
    return undefined;
  }

  private pick(range: SubnetRecord): TaskAddress {
    const address = this.freeAddress(range);
    if (address === undefined) throw usedUp(range);
    this.lastPicked.set(range.network.id, address);
    return { networkId: range.network.id, address };
  }

  private freeAddress({ network, subnets }: SubnetRecord): string | undefined {
    const taken = new Set(this.localTasks().flatMap((task) => task.addresses.map(({ address }) => address)));
    return pickAddress(subnets, taken, this.lastPicked.get(network.id));
  }
}

function attachmentOf(place: TaskAddress, ranges: readonly SubnetRecord[]): Attachment {
  const subnets = ranges.flatMap((range) => range.subnets);
  const subnet = rangeHolding(subnets, place.address) ?? '';
  return {
    ...place,
    engineNetwork: engineNetworkName(subnet),
    mac: containerMac(place.address),
    gateway: gatewayOf(subnet),
  };
}

function noRange(missing: readonly string[]): PlimsollError {
  const which = missing.join(', ');
  return new PlimsollError(
    'precondition',
    `Cannot connect to network ${which}: within ${RANGE_WAIT_MS / 1000} s the leader has given this node no addresses of it. ` +
      'Is there a leader (plim status), are the addresses of the network used up (docker network inspect)?',
  );
}

function usedUp({ network, subnets }: SubnetRecord): PlimsollError {
  return new PlimsollError(
    'precondition',
    `Cannot connect to network ${network.name}: all addresses this node has of it are in use (${subnets.join(', ')}), ` +
      'and the leader has no further range to give. Run fewer tasks per node or make a network of a larger --subnet',
  );
}
