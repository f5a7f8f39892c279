/** The leader's loop on an unkind bus: lost acknowledgements, cuts, stale reads, emptied buckets, leaders that change. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coordinatorMetrics } from '../../coordinator/loops/coordinator-metrics.ts';
import { LeaderLoop } from '../../coordinator/loops/leader-loop.ts';
import { plan } from '../../coordinator/plan/plan.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeNode } from '../support/fake-node.ts';
import { type MemoryConnection, MemoryServer } from '../support/memory-bus.ts';
import { PlanWorld } from '../support/plan-world.ts';

/** More of them now and then: `PLIMSOLL_SIMULATION_RUNS=500 npx vitest run test/simulation`. */
const runs = Number(process.env.PLIMSOLL_SIMULATION_RUNS ?? 15);

const nodeNames = ['h1', 'h2', 'h3'];

type Fault =
  | { kind: 'scale'; replicas: number }
  | { kind: 'lose-acknowledgements'; count: number }
  | { kind: 'disconnect' | 'reconnect' | 'hold' | 'resume' | 'next-leader' }
  | { kind: 'wipe'; bucket: 'plim_status' | 'plim_task' | 'plim_slot' };

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constant('lose-acknowledgements' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constantFrom('disconnect', 'reconnect', 'hold', 'resume', 'next-leader') }),
  fc.record({
    kind: fc.constant('wipe' as const),
    bucket: fc.constantFrom('plim_status', 'plim_task', 'plim_slot'),
  }),
);

/** Three nodes that report, one service, and leaders one after another; a former one is never told that it is one. */
class Scene {
  readonly clock = new FakeClock();
  readonly server = new MemoryServer({ clock: this.clock });
  readonly serviceId = derivedId('service', 'web');
  private readonly operator = this.server.connect('operator').buckets;
  private readonly nodes = nodeNames.map((name) => new FakeNode(name, this.server.connect(name), this.clock));
  private readonly stores: Store[] = [];
  private readonly running: Promise<void>[] = [];
  private readonly stopping = new AbortController();
  private connection: MemoryConnection = this.server.connect('nobody');
  private epoch = 0;

  async start(): Promise<void> {
    const world = new PlanWorld();
    world.addService('web', 3);
    await this.operator.services.create(this.serviceId, world.service(this.serviceId));
    for (const node of this.nodes) await node.start();
    await this.nextLeader();
  }

  async nextLeader(): Promise<void> {
    this.epoch += 1;
    this.connection = this.server.connect(`leader-${this.epoch}`);
    const { buckets } = this.connection;
    await buckets.raiseFence(this.epoch);
    const store = await openStore({ buckets, clock: this.clock });
    const ready = { state: 'ready', sinceMs: 0, message: 'beats arrive' } as const;
    store.setLiveness(new Map(this.nodes.map((node) => [node.id, ready])));
    this.stores.push(store);
    const parts = {
      plan,
      buckets,
      store,
      clock: this.clock,
      log: createLog('test', 'silent'),
      metrics: coordinatorMetrics(createMetrics('test', '0')),
      holdsLease: () => true,
      rollBackService: async () => undefined,
      onDone: () => undefined,
    };
    this.running.push(new LeaderLoop(parts, this.epoch).run(this.stopping.signal));
  }

  async happen(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'scale':
        return this.scale(fault.replicas);
      case 'lose-acknowledgements':
        return this.connection.loseAcknowledgements(fault.count);
      case 'disconnect':
        return this.connection.disconnect();
      case 'reconnect':
        return this.connection.reconnect();
      case 'hold':
        return this.connection.hold();
      case 'resume':
        return this.connection.resume();
      case 'next-leader':
        return this.nextLeader();
      case 'wipe':
        return this.server.wipe(fault.bucket);
    }
  }

  /** Every fault ends, and time goes by. */
  async heal(): Promise<void> {
    this.connection.reconnect();
    this.connection.resume();
    await this.clock.advance(90_000);
  }

  async tasks() {
    const view = await this.operator.tasks.watch();
    const tasks = [...view.entries.values()].map((entry) => entry.value);
    await view.close();
    return tasks;
  }

  async wanted(): Promise<number> {
    const service = await this.operator.services.get(this.serviceId);
    return service?.value.spec.Mode?.Replicated?.Replicas ?? 0;
  }

  async end(): Promise<void> {
    this.stopping.abort();
    for (const node of this.nodes) await node.stop();
    await this.clock.advance(1);
    await Promise.all(this.running);
    for (const store of this.stores) await store.close();
  }

  private async scale(replicas: number): Promise<void> {
    const entry = await this.operator.services.get(this.serviceId);
    if (!entry) return;
    const spec = { ...entry.value.spec, Mode: { Replicated: { Replicas: replicas } } };
    await this.operator.services.update(this.serviceId, { ...entry.value, spec }, entry.revision);
  }
}

test(
  'whatever befalls the bus, the service ends with its replicas, each slot once',
  async () => {
    const steps = fc.array(fc.tuple(faults, fc.integer({ min: 0, max: 800 })), { maxLength: 10 });
    const property = fc.asyncProperty(steps, async (happenings) => {
      const scene = new Scene();
      await scene.start();
      try {
        for (const [fault, waitMs] of happenings) {
          await scene.happen(fault);
          await scene.clock.advance(waitMs);
        }
        await scene.heal();

        const tasks = await scene.tasks();
        expect(tasks.map((task) => task.desired)).toEqual(tasks.map(() => 'running'));
        expect(new Set(tasks.map((task) => task.slot)).size).toBe(tasks.length);
        expect(tasks).toHaveLength(await scene.wanted());
      } finally {
        await scene.end();
      }
    });
    await fc.assert(property, { numRuns: runs });
  },
  60_000 + runs * 2_000,
);
