/**
 * This node's part in the routing mesh: tells the other nodes which published ports have ready tasks here, learns the same
 * of them, and keeps the host answering on all of it. The kernel's own choices are in ../ingress-table.ts.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { isAbleTo, MeshPort, MeshRecord, type NodeAbility } from '../../../model/mesh-record.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import type { JsonFiles } from '../../../runtime/files.ts';
import { groupBy } from '../../../runtime/group-by.ts';
import type { Log } from '../../../runtime/log.ts';
import { Poke, runLoop } from '../../../runtime/loop.ts';
import { SerialQueue } from '../../../runtime/serial-queue.ts';
import { AwaitedTurns } from '../awaited-turns.ts';
import type { PublishedPort } from '../held-ports.ts';
import type { IngressPorts } from '../ingress.ts';
import type { IngressEndpoint, MeshPeer, MeshView } from '../ingress-table.ts';
import type { MeshReach } from '../overlay/overlay-view.ts';
import { type KnownRecords, nothingKnown, withNews, withoutExpired } from './known-records.ts';
import { isHostAddress, meshPeers } from './mesh-peers.ts';
import { numberPeers, type PeerNumbers } from './peer-numbers.ts';

export interface MeshParts {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly stateDir: string;
  readonly ports: Pick<IngressPorts, 'checkFree' | 'apply' | 'applyMesh' | 'withdraw' | 'watch' | 'trouble'>;
  /** Makes the tunnel lead to these nodes, or to none. */
  readonly reach: (mesh: MeshReach | undefined) => Promise<void>;
  readonly files: JsonFiles;
  readonly clock: Clock;
  readonly log: Log;
}

/** The other nodes as this one's mesh speaks to them. */
export interface OtherMeshNodes {
  /** Told after every turn. Rejects while they cannot be. */
  tell(record: MeshRecord): Promise<void>;
  /** Resolves when these nodes do as they were told last, or do not answer in time. Never rejects. */
  haveHeard(nodeIds: readonly string[]): Promise<void>;
}

const nobodyElse: OtherMeshNodes = { tell: async () => undefined, haveHeard: async () => undefined };

/** Kept on disk: open connections are marked with the numbers, and a host that boots without the bus knows its others. */
const KnownMesh = z.object({
  v: z.literal(1),
  clusterId: z.string(),
  records: z.array(MeshRecord),
  numbers: z.record(z.string(), z.int().min(1)),
});
type KnownMesh = z.infer<typeof KnownMesh>;

/** Nobody sends a task new connections any more: those on their way still reach it, short requests come to their end. */
const DRAIN_MS = 250;
/** What this agent does, for the others to rely on. */
const abilities: readonly NodeAbility[] = ['acknowledges', 'answers-probes'];
const TIMES = { minGapMs: 0, resyncMs: 30_000, retryMs: 1_000 };

export class Mesh {
  private readonly parts: MeshParts;
  private readonly poke = new Poke();
  private readonly withdrawn = new Set<string>();
  /** Were listed once and are not any more: other nodes may still be about to send connections to them. */
  private readonly left = new Set<string>();
  /** Undefined until the engine's containers are known: until then nothing is said of them. */
  private endpoints: readonly IngressEndpoint[] | undefined;
  private known = nothingKnown;
  private numbers: PeerNumbers = {};
  private address: string | undefined;
  private recalled: Promise<void> | undefined;
  private readonly queue = new SerialQueue();
  private readonly turns = new AwaitedTurns();
  /** Until the first list of endpoints it is a table of an earlier agent that serves, whatever this one knows. */
  private isServing = false;
  private written = '';
  private unreachable = '';
  others: OtherMeshNodes = nobodyElse;

  constructor(parts: MeshParts) {
    this.parts = parts;
  }

  /** See IngressPorts. */
  checkFree(ports: readonly PublishedPort[]): Promise<void> {
    return this.parts.ports.checkFree(ports);
  }

  /** Sets the endpoints of all ready tasks here; see IngressPorts. The other nodes are told meanwhile. */
  async apply(endpoints: readonly IngressEndpoint[]): Promise<void> {
    const listed = new Set(endpoints.map(({ taskId }) => taskId));
    for (const taskId of this.withdrawn) if (!listed.has(taskId)) this.withdrawn.delete(taskId);
    for (const { taskId } of this.endpoints ?? []) if (!listed.has(taskId)) this.left.add(taskId);
    for (const taskId of listed) this.left.delete(taskId);
    this.endpoints = endpoints;
    // A table without the others would forget the way of connections that are open.
    await this.recall();
    this.poke.poke();
    await this.parts.ports.applyMesh(this.view());
    const applied = this.parts.ports.apply(endpoints);
    this.isServing = true;
    this.poke.poke();
    await applied;
  }

  /**
   * Sends a task no new connections, from no node; resolves when this host and the others do so, and what was on its way
   * has had time to arrive. A task that is to stop may have left the list just before. Never rejects.
   */
  async withdraw(taskId: string): Promise<void> {
    const isListed = this.endpoints?.some((endpoint) => endpoint.taskId === taskId) ?? false;
    if (!isListed && !this.left.has(taskId)) return this.parts.ports.withdraw(taskId);
    if (isListed) this.withdrawn.add(taskId);
    const told = this.turn().catch((error: unknown) => {
      this.parts.log.warn({ taskId, error: messageOf(error) }, 'could not take a task out of the routing mesh');
    });
    await Promise.all([told, this.parts.ports.withdraw(taskId)]);
    const peers = this.peers();
    if (peers.length === 0) return;
    await this.others.haveHeard(this.acknowledging(peers));
    await this.parts.clock.sleep(DRAIN_MS);
  }

  /** A task's containers are gone. */
  forget(taskId: string): void {
    this.left.delete(taskId);
  }

  /** Where the other nodes reach this one. Until it is known nothing is announced. */
  setAddress(address: string): void {
    this.address = address;
    this.poke.poke();
  }

  /**
   * What every node has announced, this one included; of one address the newest last. Resolves when this host does as they
   * say, or never if much was learnt since.
   */
  async learn(records: readonly MeshRecord[]): Promise<void> {
    await this.recall();
    const { nodeId, clock, log } = this.parts;
    const wasWhole = this.known.untilMs.size === 0;
    this.take(withNews(this.known, records, { nodeId, nowMs: clock.elapsedMs() }));
    if (wasWhole && this.known.untilMs.size > 0)
      log.warn({ nodes: this.known.untilMs.size }, 'what nodes publish was lost: the last known counts for a while');
    this.sayUnreachable();
    this.poke.poke();
    return this.turns.next();
  }

  /** Whether a node's agent is known to be one from before it answered probes through the tunnel. */
  isOlder(nodeId: string): boolean {
    const record = this.records.find((each) => each.nodeId === nodeId);
    return record !== undefined && !isAbleTo('answers-probes', record);
  }

  /** Keeps the others told and the host as it should be until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, log, ports } = this.parts;
    await this.recall();
    const onError = (error: unknown) => log.error({ error: messageOf(error) }, 'cannot keep up the routing mesh');
    const loop = runLoop({ tick: () => this.turn(), poke: this.poke, times: TIMES, clock, onError }, signal);
    await Promise.all([ports.watch(signal), loop]);
  }

  /** Once for the same nodes, not to a node that is alone: what they publish is not answered here, and the other way round. */
  private sayUnreachable(): void {
    const nodes = this.records.length > 1 ? this.records.filter(({ address }) => !isHostAddress(address)) : [];
    const said = nodes.map(({ nodeId, address }) => `${nodeId} ${address}`).join(', ');
    if (said === this.unreachable) return;
    this.unreachable = said;
    if (said !== '')
      this.parts.log.warn(
        { nodes: said },
        'the routing mesh goes without nodes no packet can be sent to: give their agents another --address',
      );
  }

  private take(known: KnownRecords): void {
    this.known = known;
    const own = this.records.find(({ nodeId }) => nodeId === this.parts.nodeId);
    this.address ??= own?.address;
    this.numbers = numberPeers(
      this.numbers,
      this.otherRecords()
        .map(({ nodeId }) => nodeId)
        .sort(),
    );
  }

  /** One change at a time; each looks at what is known at its own moment. */
  private turn(): Promise<void> {
    return this.queue.run(() => this.keep());
  }

  private async keep(): Promise<void> {
    this.known = withoutExpired(this.known, this.parts.clock.elapsedMs());
    // What one part cannot do keeps none of the others from its work.
    const applied = this.isServing ? this.turns.take(() => this.applyView()) : this.applyView();
    const done = await Promise.allSettled([this.tell(), applied, this.write()]);
    for (const part of done) if (part.status === 'rejected') throw part.reason;
  }

  private async tell(): Promise<void> {
    const record = this.ownRecord();
    if (record) await this.others.tell(record);
  }

  private async applyView(): Promise<void> {
    const view = this.view();
    await this.parts.reach(view);
    await this.parts.ports.applyMesh(view);
  }

  private ownRecord(): MeshRecord | undefined {
    const { address, endpoints } = this;
    if (address === undefined || endpoints === undefined) return undefined;
    const asked = endpoints.filter(({ taskId }) => !this.withdrawn.has(taskId));
    return { v: 1, nodeId: this.parts.nodeId, address, ports: meshPorts(asked), abilities: [...abilities] };
  }

  /** As the last agent or the bus told; this node's own included. */
  private get records(): readonly MeshRecord[] {
    return this.known.records;
  }

  private otherRecords(): MeshRecord[] {
    return this.records.filter(({ nodeId }) => nodeId !== this.parts.nodeId);
  }

  /** Undefined while nobody publishes anything, or there is nobody else. */
  private view(): MeshView | undefined {
    const { address } = this;
    const peers = this.peers();
    const isServed = (this.endpoints?.length ?? 0) > 0 || peers.some(({ ports }) => ports.length > 0);
    return address !== undefined && isServed && peers.length > 0
      ? { nodeId: this.parts.nodeId, address, peers }
      : undefined;
  }

  /** None while this node's address is unknown, or one that no packet can be sent to. */
  private peers(): MeshPeer[] {
    const { address, numbers } = this;
    if (address === undefined || !isHostAddress(address)) return [];
    return meshPeers(address, this.otherRecords(), numbers);
  }

  /** Who sends connections here and says when it has stopped to; older agents get the time to drain, and no more. */
  private acknowledging(peers: readonly MeshPeer[]): string[] {
    const able = new Set(this.records.filter((record) => isAbleTo('acknowledges', record)).map(({ nodeId }) => nodeId));
    return peers.map(({ nodeId }) => nodeId).filter((nodeId) => able.has(nodeId));
  }

  private recall(): Promise<void> {
    this.recalled ??= this.readKnown();
    return this.recalled;
  }

  private async readKnown(): Promise<void> {
    const { files, stateDir, clusterId, log } = this.parts;
    try {
      const json = await files.read(knownMeshPath(stateDir));
      const known = json === undefined ? undefined : KnownMesh.parse(json);
      if (known?.clusterId !== clusterId) return;
      this.numbers = known.numbers;
      this.take({ ...nothingKnown, records: known.records });
    } catch (error) {
      log.error({ error: messageOf(error) }, 'cannot read what was known of the routing mesh: waiting for the bus');
    }
  }

  private async write(): Promise<void> {
    const { files, stateDir, clusterId } = this.parts;
    const known: KnownMesh = { v: 1, clusterId, records: [...this.records], numbers: { ...this.numbers } };
    const text = JSON.stringify(known);
    if (text === this.written || this.view() === undefined) return;
    await files.write(knownMeshPath(stateDir), known);
    this.written = text;
  }
}

function knownMeshPath(stateDir: string): string {
  return join(stateDir, 'node', 'mesh.json');
}

/** What the others have to know of these endpoints. */
function meshPorts(endpoints: readonly IngressEndpoint[]): MeshPort[] {
  const byPort = groupBy(endpoints, ({ protocol, publishedPort }) => `${protocol}/${publishedPort}`);
  const ports = [...byPort.values()].flatMap((all) => {
    const [first] = all;
    if (!first || first.protocol === 'sctp') return [];
    return MeshPort.parse({ ...first, port: first.publishedPort, tasks: all.length });
  });
  return ports.sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}
