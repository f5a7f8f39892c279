/** The real planner against a cluster that things happen to, by seed: it must settle, and never do what must not be done. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionsOf } from '../../coordinator/plan/actions.ts';
import { type Behaviour, PlanWorld } from '../support/plan-world.ts';

/** More of them now and then: `PLIMSOLL_SIMULATION_RUNS=5000 npx vitest run test/simulation`. */
const runs = Number(process.env.PLIMSOLL_SIMULATION_RUNS ?? 100);

const nodeNames = ['h1', 'h2', 'h3', 'h4'];
const serviceNames = ['web', 'api', 'db'];

type Event =
  | { kind: 'create'; service: string; replicas: number }
  | { kind: 'scale'; service: string; replicas: number }
  | { kind: 'update'; service: string; image: string; startFirst: boolean; parallelism: number }
  | { kind: 'remove'; service: string }
  | { kind: 'lose' | 'return' | 'restart' | 'drain' | 'activate' | 'remove-node'; node: string }
  | { kind: 'crash-leader'; after: number }
  | { kind: 'lose-bucket'; bucket: 'tasks' | 'statuses' | 'slots' | 'rollouts' | 'services' | 'nodes' | 'nodeSpecs' }
  | { kind: 'pass'; seconds: number };

const service = fc.constantFrom(...serviceNames);
const node = fc.constantFrom(...nodeNames);
const events: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), service, replicas: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('scale' as const), service, replicas: fc.integer({ min: 0, max: 7 }) }),
  fc.record({
    kind: fc.constant('update' as const),
    service,
    image: fc.constantFrom('v1', 'v2', 'v3'),
    startFirst: fc.boolean(),
    parallelism: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ kind: fc.constant('remove' as const), service }),
  fc.record({ kind: fc.constantFrom('lose', 'return', 'restart', 'drain', 'activate', 'remove-node'), node }),
  fc.record({ kind: fc.constant('crash-leader' as const), after: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    kind: fc.constant('lose-bucket' as const),
    bucket: fc.constantFrom('tasks', 'statuses', 'slots', 'rollouts', 'services', 'nodes', 'nodeSpecs'),
  }),
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
);

/** One run: the world, and what the operator believes to have wished. */
class Run {
  readonly world = new PlanWorld();
  readonly ids = new Map<string, string>();
  readonly nodeIds = new Map<string, string>();
  /** Whether a node was drained: its tasks move start-first where no order was asked for. */
  hasDrained = false;
  private created = 0;

  constructor() {
    for (const name of nodeNames) this.nodeIds.set(name, this.world.addNode(name));
  }

  happen(event: Event): void {
    const { world } = this;
    switch (event.kind) {
      case 'create':
        if (!this.ids.has(event.service)) this.create(event.service, event.replicas);
        return;
      case 'scale':
        return this.withService(event.service, (id) => world.scale(id, event.replicas));
      case 'update': {
        const UpdateConfig = {
          Parallelism: event.parallelism,
          Order: event.startFirst ? 'start-first' : 'stop-first',
        } as const;
        return this.withService(event.service, (id) => world.update(id, event.image, { UpdateConfig }));
      }
      case 'remove':
        this.withService(event.service, (id) => world.remove(id));
        this.ids.delete(event.service);
        return;
      case 'crash-leader':
        world.lead(event.after);
        return;
      case 'lose-bucket':
        return this.loseBucket(event.bucket);
      case 'pass':
        return world.pass(event.seconds * 1_000);
      default:
        return this.befall(event.kind, this.nodeIds.get(event.node) ?? '');
    }
  }

  /** Every fault ends: lost nodes are back, specifications and host records as they were. */
  heal(): void {
    for (const [name, id] of this.nodeIds) {
      if (!this.world.tables.nodes.has(id) || !this.world.tables.nodeSpecs.has(id)) this.world.addNode(name);
      this.world.setState(id, 'ready');
      this.world.setAvailability(id, 'active');
    }
    for (let round = 0; round < 40; round += 1) {
      this.world.converge();
      this.world.pass(10_000);
    }
  }

  private create(name: string, replicas: number): void {
    this.created += 1;
    this.ids.set(name, this.world.addService(`${name}-${this.created}`, replicas));
  }

  private withService(name: string, act: (id: string) => void): void {
    const id = this.ids.get(name);
    if (id !== undefined) act(id);
  }

  private loseBucket(bucket: Extract<Event, { kind: 'lose-bucket' }>['bucket']): void {
    const table: Map<string, unknown> = this.world.tables[bucket];
    const before = new Map(table);
    const running = new Set(
      [...this.world.tables.statuses.values()].filter(({ value }) => value.state === 'running').map(({ key }) => key),
    );
    const leaving = [...stoppedIn(this.world), ...stopsIn(this.world)];
    table.clear();
    const more = stopsIn(this.world).filter((stop) => running.has(stop) && !leaving.includes(stop));
    if (more.length > 0) throw new Error(`Stops after the loss of ${bucket}: ${more.join('; ')}`);
    // What an operator wished and what hosts are comes back by itself or from a backup; the leader's own it must make good.
    if (bucket === 'services' || bucket === 'nodes' || bucket === 'nodeSpecs') {
      for (const [key, entry] of before) table.set(key, entry);
    }
  }

  private befall(kind: 'lose' | 'return' | 'restart' | 'drain' | 'activate' | 'remove-node', id: string): void {
    const { world } = this;
    if (kind === 'lose') world.setState(id, 'lost');
    if (kind === 'return') world.setState(id, 'ready');
    if (kind === 'restart') world.restartAgent(id);
    if (kind === 'drain') {
      this.hasDrained = true;
      world.setAvailability(id, 'drain');
    }
    if (kind === 'activate') world.setAvailability(id, 'active');
    if (kind === 'remove-node') world.removeNode(id);
  }
}

function stoppedIn(world: PlanWorld): string[] {
  const tasks = [...world.tables.tasks.values()].map((entry) => entry.value);
  return tasks.filter((task) => task.desired === 'stopped').map((task) => `${task.nodeId}.${task.id}`);
}

function stopsIn(world: PlanWorld): string[] {
  return actionsOf(world.plan())
    .filter((action) => action.kind === 'update-task' || action.kind === 'create-task')
    .filter((action) => action.record.desired === 'stopped')
    .map(({ record }) => `${record.nodeId}.${record.id}`);
}

/** Running tasks that share slot and revision on reachable nodes, but for a surge or a service that starts first. */
function doubles({ world, hasDrained }: Run): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const { value } of world.tables.tasks.values()) {
    const isHere = world.states.get(value.nodeId)?.state === 'ready';
    const hasSurge = world.tables.slots.get(`${value.serviceId}.${value.slot}`)?.value.surge !== undefined;
    const order = world.tables.services.get(value.serviceId)?.value.spec.UpdateConfig?.Order;
    const startsFirst = order === 'start-first' || (hasDrained && order === undefined);
    if (value.desired !== 'running' || !isHere || hasSurge || startsFirst) continue;
    const key = `${value.serviceId}.${value.slot}@${value.revision}`;
    if (seen.has(key)) twice.push(key);
    seen.add(key);
  }
  return twice;
}

test(
  'the planner settles whatever happens, doubles nothing, and a settled cluster plans nothing',
  () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.integer({ min: 0, max: 3 })), { maxLength: 30 }), (happenings) => {
        const run = new Run();
        for (const [event, rounds] of happenings) {
          run.happen(event);
          for (let round = 0; round < rounds; round += 1) {
            run.world.lead();
            expect(doubles(run)).toEqual([]);
            run.world.runAgents();
          }
        }

        run.heal();

        expect(actionsOf(run.world.plan())).toEqual([]);
        for (const id of run.ids.values()) {
          const { spec, revision } = run.world.service(id);
          const live = run.world.live(id);
          expect(live.map((task) => task.revision)).toEqual(live.map(() => revision));
          expect(live.filter((task) => task.desired === 'running')).toHaveLength(spec.Mode?.Replicated?.Replicas ?? 1);
        }
        expect(run.world.tables.services.size).toBe(run.ids.size);
      }),
      { numRuns: runs },
    );
  },
  60_000 + runs * 200,
);

test('the same snapshot gives the same plan', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 12 }), (happenings) => {
      const run = new Run();
      for (const event of happenings) run.happen(event);

      expect(run.world.plan()).toEqual(run.world.plan());
    }),
  );
});

test.each<Behaviour>(['crashes', 'never-ready', 'no-image', 'unhealthy', 'exits'])(
  'an image that is %s never makes the planner run in circles for ever',
  (behaviour) => {
    const run = new Run();
    run.world.behaviours.set('bad', behaviour);
    const id = run.world.addService('bad', 3, { image: 'bad' });
    for (let round = 0; round < 400; round += 1) {
      run.world.lead();
      run.world.runAgents();
      run.world.pass(1_000);
    }

    const made = run.world.done.filter((action) => action.kind === 'create-task').length;

    expect(made).toBeLessThanOrEqual(3 * nodeNames.length);
    expect(run.world.live(id)).toHaveLength(3);
  },
);
