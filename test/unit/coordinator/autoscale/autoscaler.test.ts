import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaderBuckets } from '../../../../bus/buckets.ts';
import { autoscaleMetrics } from '../../../../coordinator/autoscale/autoscale-metrics.ts';
import { Autoscaler } from '../../../../coordinator/autoscale/autoscaler.ts';
import type { PrometheusAnswer } from '../../../../coordinator/autoscale/prometheus.ts';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import type { Snapshot } from '../../../../coordinator/store/snapshot.ts';
import type { HeardUsage } from '../../../../coordinator/usage/usage-book.ts';
import type { ClusterEvent } from '../../../../model/messages.ts';
import type { RolloutRecord } from '../../../../model/rollout-record.ts';
import { effectiveReplicas, type ScaleRecord } from '../../../../model/scale-record.ts';
import type { ServiceRecord } from '../../../../model/service-record.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import type { SlotRecord } from '../../../../model/slot-record.ts';
import { PlimsollError } from '../../../../runtime/errors.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { scalingSpec } from '../../../support/autoscale.ts';
import { aStatusRecord } from '../../../support/docker-api-server.ts';
import { FakeClock, settleMicrotasks } from '../../../support/fake-clock.ts';
import { aService, aSlot, aSnapshot, entryOf } from '../../../support/snapshots.ts';
import { aTask } from '../../../support/tasks.ts';

const NODE = derivedId('node', 'h1');

/** A cluster in which every replica that is wanted runs; what each uses the test says. */
class World {
  readonly clock = new FakeClock();
  readonly events: ClusterEvent[] = [];
  readonly scales = new Map<string, { value: ScaleRecord; revision: number }>();
  readonly rollouts: RolloutRecord[] = [];
  readonly slots: SlotRecord[] = [];
  service: ServiceRecord;
  cores: number | undefined = 0.5;
  answer: PrometheusAnswer = { value: 0 };
  isLeaseHeld = true;
  failsWrites = false;
  private revision = 1;
  private readonly registry = createMetrics('test', '0');
  private readonly metrics = coordinatorMetrics(this.registry);
  private autoscaler: Autoscaler;

  constructor(spec: ServiceSpec) {
    this.service = aService({ spec });
    this.autoscaler = this.aLeader();
  }

  get scale(): ScaleRecord | undefined {
    return this.scales.get(this.service.id)?.value;
  }

  get replicas(): number {
    return effectiveReplicas(this.service.spec, this.scale);
  }

  change(spec: Partial<ServiceSpec>): void {
    this.service = { ...this.service, spec: { ...this.service.spec, ...spec } };
  }

  /** Of the wall clock alone. */
  jump(byMs: number): void {
    const wallMs = this.clock.wallMs.bind(this.clock);
    Object.assign(this.clock, { wallMs: () => wallMs() + byMs });
  }

  newLeader(): void {
    this.autoscaler = this.aLeader();
  }

  /** So many looks, two seconds apart. */
  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      await this.clock.advance(2_000);
      await this.autoscaler.turn();
      await settleMicrotasks();
    }
  }

  async failures(): Promise<string> {
    return this.registry.getSingleMetricAsString('plimsoll_autoscaler_failures_total');
  }

  private aLeader(): Autoscaler {
    const scales = {
      create: async (key: string, value: ScaleRecord) => this.write(key, value),
      update: async (key: string, value: ScaleRecord) => this.write(key, value),
      delete: async (key: string) => void this.scales.delete(key),
    };
    return new Autoscaler(
      {
        buckets: { fenced: () => ({ scales }) as unknown as LeaderBuckets },
        bus: { publishDurably: async (_, event) => void this.events.push(event as ClusterEvent) },
        store: {
          snapshot: () => this.snapshot(),
          isCurrent: true,
          reached: async () => undefined,
          vanished: async () => undefined,
        },
        usage: { fresh: () => this.usage(), onHeard: () => () => undefined },
        prometheus: { query: async () => this.answer },
        queues: { lag: async () => this.answer },
        clock: this.clock,
        log: createLog('test', 'silent'),
        metrics: this.metrics,
        autoscaleMetrics: autoscaleMetrics(this.registry),
        holdsLease: () => this.isLeaseHeld,
      },
      1,
    );
  }

  private write(key: string, value: ScaleRecord): number {
    if (this.failsWrites) throw new PlimsollError('unavailable', 'no JetStream leader');
    this.revision += 1;
    this.scales.set(key, { value, revision: this.revision });
    return this.revision;
  }

  private tasks() {
    const ofSlot = (slot: number) =>
      aTask({ name: this.service.spec.Name, slot, serviceId: this.service.id, nodeId: NODE });
    return Array.from({ length: this.replicas }, (_, index) => ofSlot(index + 1));
  }

  private usage(): ReadonlyMap<string, HeardUsage> {
    const used = this.cores === undefined ? {} : { cpuCores: this.cores };
    const tasks = this.tasks().map(({ id, serviceId }) => ({ taskId: id, serviceId, memoryBytes: 1, ...used }));
    const host = { nodeId: NODE, cpuTotalCores: 8, memoryBytes: 1, memoryTotalBytes: 2, load1: 0 };
    return new Map([[NODE, { usage: { ...host, tasks }, heardAtMs: this.clock.elapsedMs() }]]);
  }

  private snapshot(): Snapshot {
    const tasks = this.tasks();
    const statuses = tasks.map((task) => aStatusRecord(task, { ready: true }));
    const { service, slots, rollouts } = this;
    const snapshot = aSnapshot({ services: [service], tasks, statuses, slots, rollouts, nodes: { [NODE]: 'ready' } });
    const scales = [...this.scales].map(([key, { value, revision }]) => [key, entryOf(key, value, revision)] as const);
    return { ...snapshot, scales: new Map(scales) };
  }
}

describe('a service that scales by its processor time', () => {
  let world: World;

  beforeEach(() => {
    world = new World(scalingSpec({ min: '1', max: '8', cpu: '50%', 'warm-up': '4s', 'down-window': '20s' }));
  });

  it('gets what its load asks for, and says why', async () => {
    world.cores = 2;
    await world.looks(1);
    expect(world.scale).toMatchObject({ replicas: 4, wanted: 4, condition: 'following', mode: 'on', specReplicas: 1 });
    expect(world.scale?.reason).toBe('cpu is at 200 % of its reservation, the target is 50 %: 4 replicas wanted');
    expect(world.events.map(({ kind, action }) => `${kind} ${action}`)).toEqual(['service update']);
    expect(world.events[0]?.attributes).toMatchObject({ name: 'web', 'replicas.old': '1', 'replicas.new': '4' });
  });

  it('takes nothing of new replicas for a reason until they are warm', async () => {
    world.cores = 2;
    await world.looks(1);
    expect(world.replicas).toBe(4);
    world.cores = 0.5;
    await world.looks(5);
    expect(world.replicas).toBe(4);
  });

  it('goes back to min when the load has gone for the down window', async () => {
    world.cores = 2;
    await world.looks(1);
    world.cores = 0.01;
    await world.looks(8);
    expect(world.replicas).toBe(4);
    await world.looks(10);
    expect(world.replicas).toBe(1);
  });

  it('does not write at every look', async () => {
    await world.looks(20);
    expect(world.events).toHaveLength(1);
  });

  it('changes nothing while nodes say nothing, and says so', async () => {
    world.cores = undefined;
    await world.looks(10);
    expect(world.scale).toMatchObject({ replicas: 1, condition: 'blind' });
    expect(world.scale?.wanted).toBeUndefined();
  });

  it('leaves a count set by hand alone for the time of hold-off, then goes on', async () => {
    await world.looks(1);
    world.change({ Mode: { Replicated: { Replicas: 6 } } });
    expect(world.replicas).toBe(6);
    world.cores = 0.5;
    await world.looks(1);
    expect(world.scale).toMatchObject({ replicas: 6, condition: 'held' });
    world.cores = 0.001;
    await world.looks(290);
    expect(world.replicas).toBe(6);
    await world.looks(30);
    expect(world.replicas).toBe(1);
  });

  it.each([
    ['forwards', 86_400_000],
    ['back', -86_400_000],
  ])('changes nothing because the wall clock jumps %s by a day', async (_, jumpMs) => {
    world.cores = 2;
    await world.looks(1);
    world.cores = 0.5;
    await world.looks(10);
    const before = world.replicas;
    expect(before).toBe(4);
    world.jump(jumpMs);
    await world.looks(10);
    expect(world.scale).toMatchObject({ replicas: before, condition: 'following' });
  });

  it('holds a count set by hand no longer than hold-off though the wall clock was set back by a day', async () => {
    await world.looks(1);
    world.change({ Mode: { Replicated: { Replicas: 6 } } });
    await world.looks(1);
    world.jump(-86_400_000);
    world.cores = 0.001;
    await world.looks(290);
    expect(world.replicas).toBe(6);
    await world.looks(40);
    expect(world.replicas).toBe(1);
  });

  it('stays off while it is scaled to 0 by hand', async () => {
    world.change({ Mode: { Replicated: { Replicas: 0 } } });
    await world.looks(3);
    expect(world.scale).toMatchObject({ replicas: 0, condition: 'held' });
  });

  it('takes none away during an update', async () => {
    world.cores = 2;
    await world.looks(1);
    const times = { startedAtMs: 0, progressAtMs: 0 };
    const words = {
      v: 1,
      epoch: 1,
      serviceId: world.service.id,
      revision: 2,
      specVersion: 1,
      message: '',
      slots: {},
    } as const;
    world.rollouts.push({ ...words, ...times, state: 'updating' });
    world.cores = 0.01;
    await world.looks(30);
    expect(world.scale).toMatchObject({ replicas: 4, condition: 'frozen' });
  });

  it('asks for no more while replicas have no node', async () => {
    await world.looks(1);
    const pending = { taskId: derivedId('task', 'x'), revision: 1, sinceMs: 0, reason: 'no node has a core left' };
    world.slots.push(aSlot(world.service, { slot: 9, pending }));
    world.cores = 2;
    await world.looks(6);
    expect(world.scale).toMatchObject({
      replicas: 1,
      condition: 'no-room',
      reason: expect.stringMatching(/a core left/),
    });
  });

  it('changes nothing in advise mode', async () => {
    world.change({ Labels: { ...world.service.spec.Labels, 'plimsoll.autoscale.mode': 'advise' } });
    world.cores = 2;
    await world.looks(3);
    expect(world.scale).toMatchObject({ replicas: 4, mode: 'advise' });
    expect(world.replicas).toBe(1);
    expect(world.events.map(({ action }) => action)).toEqual(['autoscale']);
  });

  it('has the count of its specification again when its labels go', async () => {
    world.cores = 2;
    await world.looks(1);
    world.change({ Labels: {} });
    await world.looks(1);
    expect(world.scales.size).toBe(0);
    expect(world.replicas).toBe(1);
  });

  it('goes on from what is there under a new leader, taking none away early', async () => {
    world.cores = 2;
    await world.looks(1);
    world.newLeader();
    world.cores = 0.01;
    await world.looks(9);
    expect(world.replicas).toBe(4);
    await world.looks(3);
    expect(world.replicas).toBe(1);
  });

  it('decides again when its word could not be written, and counts it', async () => {
    world.failsWrites = true;
    world.cores = 2;
    await world.looks(2);
    expect(world.scale).toBeUndefined();
    expect(await world.failures()).toMatch(/plimsoll_autoscaler_failures_total\{code="unavailable"\} 2/);
    world.failsWrites = false;
    await world.looks(1);
    expect(world.replicas).toBe(4);
  });

  it('writes nothing once the lease may be another coordinator’s', async () => {
    world.isLeaseHeld = false;
    world.cores = 2;
    await world.looks(2);
    expect(world.scales.size).toBe(0);
  });
});

describe('a service that scales by a query', () => {
  const spec = scalingSpec({ min: '0', max: '8', query: 'load', target: '10', 'down-window': '10s' });

  it('is woken, follows and sleeps again', async () => {
    const world = new World(spec);
    world.answer = { value: 35 };
    await world.looks(4);
    expect(world.replicas).toBe(4);
    world.answer = { value: 0 };
    await world.looks(10);
    expect(world.replicas).toBe(0);
    world.answer = { value: 1 };
    await world.looks(5);
    expect(world.replicas).toBe(1);
  });

  it('changes nothing when what answers is no number', async () => {
    const world = new World(spec);
    world.answer = { problem: 'it answers NaN' };
    await world.looks(10);
    expect(world.scale).toMatchObject({
      replicas: 1,
      condition: 'blind',
      reason: 'query: it answers NaN: nothing is changed',
    });
  });
});
