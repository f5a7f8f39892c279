/**
 * The overlay's side of the bus: reads what the leader gave out and what other nodes announce, and announces in turn. Every
 * announcement is acknowledged by each node on the network that has applied it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView, Bus } from '../bus/bus.ts';
import { subjects } from '../bus/subjects.ts';
import { NetworkAcknowledgement } from '../model/network-acknowledgement.ts';
import type { EndpointRecord, NetRecord } from '../model/network-records.ts';
import { aborted } from '../runtime/aborted.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Acknowledgements, type Announced } from './network/overlay/acknowledgements.ts';
import type { OtherNodes, Overlay } from './network/overlay/overlay.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };
/** An announcement that takes longer is made again by the next turn: containers do not wait for it. */
const ANNOUNCE_MS = 1_000;
/** A task that has to go does not wait longer for a node that does not answer. */
const ACKNOWLEDGE_MS = 2_000;

export interface OverlayLinkParts {
  readonly nodeId: string;
  readonly overlay: Pick<Overlay, 'needed' | 'learn' | 'others'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'acknowledgementsMissing'>;
}

type NetworkBuckets = Pick<Buckets, 'nets' | 'endpoints'>;
type NetworkBus = Pick<Bus, 'publish' | 'subscribe' | 'connected'>;

/** Watches nothing until a task of this node wants a network; then until the signal aborts. */
export async function linkOverlay(
  bus: NetworkBus,
  buckets: NetworkBuckets,
  parts: OverlayLinkParts,
  signal: AbortSignal,
): Promise<void> {
  const ended = aborted(signal);
  await Promise.race([parts.overlay.needed, ended]);
  const views = await openViews(buckets, parts, signal);
  if (views === undefined) return;
  const others = new NodesOnTheBus(bus, buckets, views, parts);
  const acknowledged = bus.subscribe(subjects.acknowledgements(parts.nodeId), NetworkAcknowledgement, others.take);
  const learn = () => {
    const heard = others.announcements();
    void parts.overlay.learn(valuesOf(views.nets), valuesOf(views.endpoints)).then(() => others.acknowledge(heard));
  };
  views.nets.onChange(learn);
  views.endpoints.onChange(learn);
  parts.overlay.others = others;
  learn();
  await ended;
  acknowledged.stop();
  await Promise.all([views.nets.close(), views.endpoints.close()]);
}

interface Views {
  readonly nets: BucketView<NetRecord>;
  readonly endpoints: BucketView<EndpointRecord>;
}

async function openViews(
  buckets: NetworkBuckets,
  { clock, log }: OverlayLinkParts,
  signal: AbortSignal,
): Promise<Views | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return { nets: await buckets.nets.watch(), endpoints: await buckets.endpoints.watch() };
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot watch the networks of the cluster yet');
      await clock.sleep(backoffMs(RETRY, failures), signal).catch(() => undefined);
    }
  }
  return undefined;
}

function valuesOf<T>(view: BucketView<T>): T[] {
  return [...view.entries.values()].map((entry) => entry.value);
}

/** An announcement of another node, as it was when this one looked. */
interface Heard extends NetworkAcknowledgement {
  readonly announcer: string;
}

class NodesOnTheBus implements OtherNodes {
  private readonly bus: NetworkBus;
  private readonly endpoints: Buckets['endpoints'];
  private readonly views: Views;
  private readonly parts: OverlayLinkParts;
  private readonly acknowledgements: Acknowledgements;
  /** Revisions of this node's own announcements, by key. */
  private readonly told = new Map<string, number>();
  /** Revisions this node has acknowledged, by key. */
  private readonly done = new Map<string, number>();

  constructor(bus: NetworkBus, { endpoints }: NetworkBuckets, views: Views, parts: OverlayLinkParts) {
    this.bus = bus;
    this.endpoints = endpoints;
    this.views = views;
    this.parts = parts;
    this.acknowledgements = new Acknowledgements(parts.clock);
  }

  /** Writes what differs from what is stored, and takes away what this node has no task for any more. */
  async tell(records: readonly EndpointRecord[]): Promise<void> {
    const { clock, nodeId } = this.parts;
    const keys = new Set(records.map(keyOf));
    const stored = this.views.endpoints.entries;
    const news = records.filter((record) => !isDeepStrictEqual(stored.get(keyOf(record))?.value, record));
    const gone = [...stored.values()].filter(({ key, value }) => value.nodeId === nodeId && !keys.has(key));
    const writes = Promise.all([
      ...news.map((record) => this.put(record)),
      ...gone.map(({ key }) => this.endpoints.delete(key)),
    ]);
    const late = () => new PlimsollError('timeout', `The bus did not take it within ${ANNOUNCE_MS} ms`);
    if (news.length + gone.length > 0) await withDeadline(clock, ANNOUNCE_MS, writes, late);
  }

  /** A bus that is away reaches nobody: then nobody is waited for. */
  async haveHeard(networkIds: readonly string[]): Promise<void> {
    if (!this.bus.connected) return;
    const nodeIds = await this.acknowledgements.all(networkIds.flatMap(this.announcedOn), ACKNOWLEDGE_MS);
    if (nodeIds.length === 0) return;
    this.parts.metrics.acknowledgementsMissing.inc(nodeIds.length);
    this.parts.log.warn({ nodeIds }, 'nodes did not acknowledge that a task leaves: it is stopped all the same');
  }

  readonly take = (acknowledgement: NetworkAcknowledgement, subject: string): void => {
    this.acknowledgements.note(subject.slice(subject.lastIndexOf('.') + 1), acknowledgement);
  };

  /** What other nodes announce now. */
  announcements(): Heard[] {
    return [...this.views.endpoints.entries.values()]
      .filter(({ value }) => value.nodeId !== this.parts.nodeId)
      .map(({ value, revision }) => ({ announcer: value.nodeId, networkId: value.networkId, revision }));
  }

  /** To be said once this host does as they announced. */
  acknowledge(heard: readonly Heard[]): void {
    for (const { announcer, networkId, revision } of heard) {
      const key = keyOf({ networkId, nodeId: announcer });
      if (this.done.get(key) === revision) continue;
      this.done.set(key, revision);
      this.bus.publish(subjects.acknowledgement(announcer, this.parts.nodeId), { networkId, revision });
    }
  }

  private async put(record: EndpointRecord): Promise<void> {
    const key = keyOf(record);
    const revision = await this.endpoints.put(key, record);
    if (revision < (this.told.get(key) ?? 0)) this.acknowledgements.forget();
    this.told.set(key, revision);
  }

  /** Who has tasks on a network is to know of it. */
  private readonly announcedOn = (networkId: string): Announced[] => {
    const key = keyOf({ networkId, nodeId: this.parts.nodeId });
    const revision = this.told.get(key) ?? this.views.endpoints.entries.get(key)?.revision;
    const nodeIds = valuesOf(this.views.nets).flatMap((net) =>
      net.kind === 'subnet' && net.network.id === networkId && net.idleSinceMs === undefined ? [net.nodeId] : [],
    );
    const others = nodeIds.filter((id) => id !== this.parts.nodeId);
    return revision === undefined ? [] : [{ networkId, revision, nodeIds: others }];
  };
}

function keyOf({ networkId, nodeId }: Pick<EndpointRecord, 'networkId' | 'nodeId'>): string {
  return `${networkId}.${nodeId}`;
}
