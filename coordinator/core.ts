/**
 * A coordinator but for the servers that answer people: its copy of the cluster's state, its loops, its stand for leader,
 * and the doors through which wishes come in.
 */
import type { Buckets } from '../bus/buckets.ts';
import type { Bus } from '../bus/bus.ts';
import type { ClusterRecord } from '../model/cluster-record.ts';
import { isConflict, messageOf, PlimsollError } from '../runtime/errors.ts';
import { Lifecycle } from '../runtime/lifecycle.ts';
import type { Admission } from './admission.ts';
import { AlertBook } from './alerts/alert-book.ts';
import { alertMetrics } from './alerts/alert-metrics.ts';
import { AlertToken } from './alerts/alert-token.ts';
import { autoscaleMetrics } from './autoscale/autoscale-metrics.ts';
import type { CoordinatorParts } from './coordinator-parts.ts';
import { Leadership } from './leadership.ts';
import { coordinatorMetrics, showStateHealth } from './loops/coordinator-metrics.ts';
import { publishEvent } from './loops/events.ts';
import { LivenessLoop } from './loops/liveness-loop.ts';
import { withdrawEndpoints } from './loops/lost-endpoints.ts';
import { Presence } from './loops/presence.ts';
import { probeNode } from './loops/probes.ts';
import type { PlannedVersions } from './metrics/state-page.ts';
import { measureTransitions } from './metrics/transition-metrics.ts';
import { servePayloads } from './payloads/payload-service.ts';
import type { NodeWatch } from './store/liveness.ts';
import { openStore, type Store } from './store/store.ts';
import { busyness } from './usage/busyness.ts';
import { UsageBook } from './usage/usage-book.ts';
import { registerUsageMetrics } from './usage/usage-metrics.ts';
import { createWishes, type Wishes } from './wishes/wishes.ts';

const CONNECT_RETRY_MS = 500;
const BUSYNESS_MS = 10_000;
const DEFAULT_TASK_HISTORY_LIMIT = 5;

export interface CoordinatorCore {
  readonly bus: Bus;
  readonly store: Store;
  readonly admission: Admission;
  readonly wishes: Wishes;
  /** What nodes said last of their usage. */
  readonly usage: UsageBook;
  /** Where alerts that act are written down, and what Alertmanager shows for it. */
  readonly alertBook: AlertBook;
  readonly alertToken: AlertToken;
  readonly isLeading: () => boolean;
  readonly plannedVersion: PlannedVersions;
  /** What is put on it ends before the core does. */
  readonly lifecycle: Lifecycle;
}

/** Resolves when the cluster's state is read. The bus may be away at first: it is waited for, until `signal` aborts. */
export async function startCore(
  parts: CoordinatorParts,
  signal: AbortSignal = new AbortController().signal,
): Promise<CoordinatorCore> {
  const lifecycle = new Lifecycle(parts.log);
  try {
    const { bus, buckets } = await connected(parts, signal);
    lifecycle.onStop('bus', () => bus.close());
    await writeClusterRecord(buckets, parts);
    const store = await openStore({ buckets, clock: parts.clock });
    lifecycle.onStop('store', () => store.close());
    const core = new Core({ parts, lifecycle, bus, buckets, store });
    core.start();
    return core;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function connected(parts: CoordinatorParts, signal: AbortSignal): Promise<{ bus: Bus; buckets: Buckets }> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await parts.connect();
    } catch (error) {
      const isAway = error instanceof PlimsollError && (error.code === 'unavailable' || error.code === 'timeout');
      if (!isAway || signal.aborted) throw error;
      if (isFirst) parts.log.warn({ error: messageOf(error) }, 'the bus is away, waiting for it');
      await parts.clock.sleep(CONNECT_RETRY_MS, signal);
    }
  }
}

/** The first coordinator of a cluster writes its settings down. */
async function writeClusterRecord({ clusters }: Buckets, { identity, clock }: CoordinatorParts): Promise<void> {
  if (await clusters.get('main')) return;
  const nowMs = clock.wallMs();
  const record: ClusterRecord = {
    v: 1,
    id: identity.clusterId,
    labels: {},
    taskHistoryLimit: DEFAULT_TASK_HISTORY_LIMIT,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  try {
    await clusters.create('main', record);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

interface Assembly {
  readonly parts: CoordinatorParts;
  readonly lifecycle: Lifecycle;
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly store: Store;
}

class Core implements CoordinatorCore {
  readonly bus: Bus;
  readonly store: Store;
  readonly admission: Admission;
  readonly wishes: Wishes;
  readonly usage: UsageBook;
  readonly alertBook: AlertBook;
  readonly alertToken: AlertToken;
  readonly lifecycle: Lifecycle;
  private readonly assembly: Assembly;
  private readonly metrics: ReturnType<typeof coordinatorMetrics>;
  private readonly leadership: Leadership;

  constructor(assembly: Assembly) {
    this.assembly = assembly;
    const { parts, bus, buckets, store, lifecycle } = assembly;
    this.bus = bus;
    this.store = store;
    this.lifecycle = lifecycle;
    this.metrics = coordinatorMetrics(parts.metrics);
    showStateHealth(parts.metrics, store);
    this.admission = parts.admission(bus, buckets);
    this.wishes = this.createWishes();
    this.usage = this.createUsageBook();
    const snapshot = () => store.snapshot();
    this.alertBook = new AlertBook({ ...assembly, ...parts, metrics: this.metrics, snapshot });
    this.alertToken = new AlertToken({ ...assembly, ...parts, snapshot });
    this.leadership = new Leadership({
      ...assembly,
      ...parts,
      metrics: this.metrics,
      autoscaleMetrics: autoscaleMetrics(parts.metrics),
      usage: this.usage,
      prometheus: parts.prometheus,
      queues: parts.queues,
      alertBook: this.alertBook,
      alertMetrics: alertMetrics(parts.metrics),
      alertmanager: parts.alertmanager,
      wishes: this.wishes,
      coordinatorId: parts.identity.coordinatorId,
    });
  }

  readonly isLeading = () => this.leadership.leadingSinceMs !== undefined;
  readonly plannedVersion: PlannedVersions = (serviceId) => this.leadership.plannedVersion(serviceId);

  start(): void {
    const { lifecycle, parts, store } = this.assembly;
    const { clock, metrics: registry } = parts;
    lifecycle.onStop('transitions', measureTransitions({ registry, store, clock, isLeading: this.isLeading }));
    const admission = this.admission.serve();
    lifecycle.onStop('admission', () => admission.stop());
    const payloads = servePayloads({ ...this.assembly, ...parts, snapshot: () => store.snapshot() });
    lifecycle.onStop('payloads', () => payloads.stop());
    this.background('presence', this.presence().run(lifecycle.signal));
    this.background('usage', this.usage.run(lifecycle.signal));
    this.background('busyness', this.noteBusyness(lifecycle.signal));
    this.background('liveness', this.livenessLoop().run(lifecycle.signal));
    this.background('leadership', this.leadership.run(lifecycle.signal));
  }

  private createUsageBook(): UsageBook {
    const { parts, store, bus } = this.assembly;
    const isNode = (nodeId: string) => store.snapshot().nodeSpecs.has(nodeId);
    const book = new UsageBook({ bus, clock: parts.clock, isNode });
    const nameOf = (nodeId: string) => store.snapshot().nodes.get(nodeId)?.value.hostname ?? nodeId;
    registerUsageMetrics(parts.metrics, book, nameOf);
    return book;
  }

  /** Placement looks at how busy nodes are, every ten seconds' worth. */
  private async noteBusyness(signal: AbortSignal): Promise<void> {
    const { parts, store } = this.assembly;
    while (!signal.aborted) {
      await parts.clock.sleep(BUSYNESS_MS, signal).catch(() => undefined);
      store.setBusy(busyness(this.usage.fresh(), store.snapshot().busy ?? new Map()));
    }
  }

  private createWishes(): Wishes {
    const { parts, store, buckets } = this.assembly;
    return createWishes({
      ...this.assembly,
      ...parts,
      snapshot: () => store.snapshot(),
      barrier: store,
      revokeNode: async (nodeId) => {
        const spec = await buckets.nodeSpecs.get(nodeId);
        if (spec && spec.value.publicKey !== '') await this.admission.revoke(spec.value.publicKey);
      },
    });
  }

  private presence(): Presence {
    const { parts } = this.assembly;
    return new Presence({ ...this.assembly, ...parts, coordinatorId: parts.identity.coordinatorId });
  }

  private livenessLoop(): LivenessLoop {
    const { parts, store, bus } = this.assembly;
    return new LivenessLoop({
      ...this.assembly,
      ...parts,
      metrics: this.metrics,
      probe: (nodeId) => probeNode(nodeId, store.snapshot(), { bus, probe: parts.probe }),
      leadingSinceMs: () => this.leadership.leadingSinceMs,
      onChange: (nodeId, before, after) => this.noteNode(nodeId, before, after),
    });
  }

  /** Every coordinator sees it; only the leader tells. */
  private noteNode(nodeId: string, before: NodeWatch | undefined, after: NodeWatch): void {
    const { parts, bus, store } = this.assembly;
    const fields = { nodeId, before: before?.state ?? 'unknown', after: after.state, why: after.message };
    parts.log[after.state === 'lost' ? 'warn' : 'info'](fields, 'the state of a node changed');
    if (this.leadership.leadingSinceMs === undefined) return;
    if (after.state === 'lost') this.noteLoss(nodeId);
    const name = store.snapshot().nodes.get(nodeId)?.value.hostname ?? nodeId;
    const attributes = { name, 'state.old': fields.before, 'state.new': after.state, reason: after.message };
    const event = { kind: 'node', id: nodeId, action: 'update', attributes, atMs: parts.clock.wallMs() } as const;
    publishEvent({ bus, clock: parts.clock, log: parts.log, metrics: this.metrics }, event);
  }

  private noteLoss(nodeId: string): void {
    const { parts, buckets, store } = this.assembly;
    this.metrics.nodesLost.inc();
    void withdrawEndpoints({ ...buckets, log: parts.log }, store.snapshot(), nodeId);
  }

  /** Loops end with the lifecycle; one that ends otherwise is a bug worth a line. */
  private background(name: string, work: Promise<void>): void {
    const { lifecycle, parts } = this.assembly;
    const ended = work.catch((error: unknown) => {
      parts.log.error({ part: name, error: messageOf(error) }, 'a part of the coordinator ended with an error');
    });
    lifecycle.onStop(name, () => ended);
  }
}
