import { expect, it } from 'vitest';
import { Survival } from '../../../../coordinator/loops/survival.ts';
import { homelessWithout } from '../../../../coordinator/plan/node-loss.ts';
import { plan } from '../../../../coordinator/plan/plan.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const GIBIBYTE = 2 ** 30;

/** Three nodes of 8 GiB: `web` fits on any two of them, `big` nowhere else. */
function settledWorld() {
  const world = new PlanWorld();
  const nodes = ['h1', 'h2', 'h3'].map((name) => world.addNode(name));
  world.addService('web', 3);
  const Resources = { Reservations: { MemoryBytes: 6 * GIBIBYTE } };
  const big = world.addService('big', 1, {
    TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources, Placement: { Constraints: ['node.hostname==h2'] } },
  });
  world.converge();
  return { world, nodes, big };
}

it('homelessWithout() names the tasks of a lost node that fit nowhere else, and says why', () => {
  const { world, nodes, big } = settledWorld();

  const without = nodes.map((id) => homelessWithout(id, world.snapshot(), world.now, plan));

  expect(without.map((homeless) => homeless.length)).toEqual([0, 1, 0]);
  expect(without[1]).toEqual([
    { serviceId: big, slot: 1, reason: expect.stringContaining('scheduling constraints not satisfied on 2 nodes') },
  ]);
});

it('shows for every node whether its loss would be survived', async () => {
  const { world } = settledWorld();
  const metrics = createMetrics('test', '0.0.0');
  const survival = new Survival({
    snapshot: () => world.snapshot(),
    isLeading: () => true,
    clock: systemClock,
    metrics,
  });

  await survival.turn(new AbortController().signal);

  const shown = (await metrics.metrics()).split('\n').filter((line) => line.startsWith('plimsoll_survives_node_loss{'));
  expect(shown.map((line) => `${/node="(\w+)"/.exec(line)?.[1]} ${line.at(-1)}`).sort()).toEqual([
    'h1 1',
    'h2 0',
    'h3 1',
  ]);
});

it('of a cluster whose plans take long it takes a tenth of the time', async () => {
  const { world } = settledWorld();
  const clock = new FakeClock();
  const waitsMs: number[] = [];
  let looks = 0;
  const survival = new Survival({
    snapshot: () => world.snapshot(),
    isLeading: () => true,
    clock: {
      wallMs: () => clock.wallMs(),
      // Every look at the clock is 100 ms after the one before.
      elapsedMs: () => {
        looks += 1;
        return 100 * looks;
      },
      sleep: async (ms) => void waitsMs.push(ms),
      after: clock.after.bind(clock),
    },
    metrics: createMetrics('test', '0.0.0'),
  });

  await survival.turn(new AbortController().signal);

  expect(waitsMs).toHaveLength(3);
  expect(Math.min(...waitsMs)).toBeGreaterThanOrEqual(900);
});

it('one deposed in the middle of a turn plans no further and shows nothing more', async () => {
  const { world } = settledWorld();
  const metrics = createMetrics('test', '0.0.0');
  const clock = new FakeClock();
  const stopping = new AbortController();
  let isLeading = true;
  const waitsMs: number[] = [];
  const survival = new Survival({
    snapshot: () => world.snapshot(),
    isLeading: () => isLeading,
    clock: {
      wallMs: clock.wallMs.bind(clock),
      elapsedMs: clock.elapsedMs.bind(clock),
      sleep: async (ms) => {
        if (!isLeading) stopping.abort();
        isLeading = false;
        waitsMs.push(ms);
      },
      after: clock.after.bind(clock),
    },
    metrics,
  });

  await survival.run(stopping.signal);

  expect(waitsMs).toEqual([20, 30_000]);
  expect(await metrics.metrics()).not.toContain('plimsoll_survives_node_loss{');
});
