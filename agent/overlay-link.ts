/**
 * The overlay's side of the bus: reads what the leader gave out and what other nodes announce, and announces in turn. Every
 * announcement is acknowledged by each node on the network that has applied it.
 */
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView, Bus } from '../bus/bus.ts';
import type { EndpointRecord, NetRecord } from '../model/network-records.ts';
import { aborted } from '../runtime/aborted.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { keepTrying } from '../runtime/keep-trying.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Announcements, type Heard } from './announcements.ts';
import type { Announced } from './network/acknowledgements.ts';
import type { OtherNodes, Overlay } from './network/overlay/overlay.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };

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
  const own = new Announcements({ ...parts, bus, bucket: buckets.endpoints, view: views.endpoints });
  const others = new NodesOnTheBus(parts.nodeId, views, own);
  const stopListening = own.listen();
  const learn = () => {
    const heard = others.announcements();
    void parts.overlay.learn(valuesOf(views.nets), valuesOf(views.endpoints)).then(() => own.acknowledge(heard));
  };
  views.nets.onChange(learn);
  views.endpoints.onChange(learn);
  parts.overlay.others = others;
  learn();
  await ended;
  stopListening();
  await Promise.all([views.nets.close(), views.endpoints.close()]);
}

interface Views {
  readonly nets: BucketView<NetRecord>;
  readonly endpoints: BucketView<EndpointRecord>;
}

function openViews(
  buckets: NetworkBuckets,
  { clock, log }: OverlayLinkParts,
  signal: AbortSignal,
): Promise<Views | undefined> {
  const onError = (error: unknown) =>
    log.warn({ error: messageOf(error) }, 'cannot watch the networks of the cluster yet');
  const work = async () => ({ nets: await buckets.nets.watch(), endpoints: await buckets.endpoints.watch() });
  return keepTrying(work, { clock, retry: RETRY, onError }, signal);
}

function valuesOf<T>(view: BucketView<T>): T[] {
  return [...view.entries.values()].map((entry) => entry.value);
}

class NodesOnTheBus implements OtherNodes {
  private readonly nodeId: string;
  private readonly views: Views;
  private readonly own: Announcements<EndpointRecord>;

  constructor(nodeId: string, views: Views, own: Announcements<EndpointRecord>) {
    this.nodeId = nodeId;
    this.views = views;
    this.own = own;
  }

  /** Takes away what this node has no task for any more, too. */
  async tell(records: readonly EndpointRecord[]): Promise<void> {
    const byKey = new Map(records.map((record) => [keyOf(record), record]));
    const stored = [...this.views.endpoints.entries.values()];
    const gone = stored.filter(({ key, value }) => value.nodeId === this.nodeId && !byKey.has(key));
    await this.own.tell(
      byKey,
      gone.map(({ key }) => key),
    );
  }

  haveHeard(networkIds: readonly string[]): Promise<void> {
    return this.own.haveHeard(() => networkIds.flatMap(this.announcedOn));
  }

  /** What other nodes announce now. */
  announcements(): Heard[] {
    return [...this.views.endpoints.entries.values()]
      .filter(({ value }) => value.nodeId !== this.nodeId)
      .map(({ key, value, revision }) => ({ key, announcer: value.nodeId, networkId: value.networkId, revision }));
  }

  /** Who has tasks on a network is to know of it. */
  private readonly announcedOn = (networkId: string): Announced[] => {
    const revision = this.own.revisionOf(keyOf({ networkId, nodeId: this.nodeId }));
    const nodeIds = valuesOf(this.views.nets).flatMap((net) =>
      net.kind === 'subnet' && net.network.id === networkId && net.idleSinceMs === undefined ? [net.nodeId] : [],
    );
    const others = nodeIds.filter((id) => id !== this.nodeId);
    return revision === undefined ? [] : [{ networkId, revision, nodeIds: others }];
  };
}

function keyOf({ networkId, nodeId }: Pick<EndpointRecord, 'networkId' | 'nodeId'>): string {
  return `${networkId}.${nodeId}`;
}
