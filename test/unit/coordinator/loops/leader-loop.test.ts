import { afterEach, beforeEach, expect, test } from 'vitest';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { LeaderLoop } from '../../../../coordinator/loops/leader-loop.ts';
import type { Action } from '../../../../coordinator/plan/actions.ts';
import type { Planner } from '../../../../coordinator/plan/plan.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import { PlimsollError } from '../../../../runtime/errors.ts';
import { createLog } from '../../../../runtime/log.ts';
import { createMetrics } from '../../../../runtime/metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';

const EPOCH = 1;

let clock: FakeClock;
let server: MemoryServer;
let connection: MemoryConnection;
let store: Store;
let ending: AbortController;
let leading: Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  server = new MemoryServer({ clock });
  connection = server.connect();
  const { buckets } = connection;
  store = await openStore({ buckets, clock });
  ending = new AbortController();
  await buckets.raiseFence(EPOCH);
});
afterEach(async () => {
  ending.abort();
  await clock.advance(0);
  await leading;
  await store.close();
});

function lead(plan: Planner, rollBackService: () => Promise<void>): void {
  const loop = new LeaderLoop(
    {
      plan,
      completed: (snapshot) => snapshot,
      buckets: connection.buckets,
      store,
      clock,
      log: createLog('test', 'silent'),
      metrics: coordinatorMetrics(createMetrics('coordinator', '0.0.0')),
      holdsLease: () => true,
      rollBackService,
      onDone: () => undefined,
      onPlanDone: () => undefined,
    },
    EPOCH,
  );
  leading = loop.run(ending.signal);
}

const rollsBack: Planner = () => ({
  chains: [[{ kind: 'roll-back-service', key: 'web', expectedRevision: 1, reason: 'its update failed' }]],
  failures: [],
  tables: new Map(),
  nextAtMs: undefined,
});

test('what is refused is asked for less and less often, at least every 15 s', async () => {
  const askedAtMs: number[] = [];
  lead(rollsBack, async () => {
    askedAtMs.push(clock.elapsedMs());
    throw new PlimsollError('precondition', 'there is nothing to go back to');
  });

  await clock.advance(120_000);

  const gapsMs = askedAtMs.slice(1).map((atMs, index) => atMs - (askedAtMs[index] ?? 0));
  expect(gapsMs.length).toBeGreaterThan(5);
  expect(gapsMs.length).toBeLessThan(20);
  expect(Math.max(...gapsMs)).toBeLessThanOrEqual(15_100);
  expect(gapsMs.at(-1)).toBeGreaterThan(10_000);
});

test('once something goes well it is asked for at once again', async () => {
  const askedAtMs: number[] = [];
  let refusals = 5;
  let rests = false;
  lead(
    (...given) => (rests ? { chains: [], failures: [], tables: new Map(), nextAtMs: undefined } : rollsBack(...given)),
    async () => {
      askedAtMs.push(clock.elapsedMs());
      if (refusals-- > 0) throw new PlimsollError('precondition', 'not yet');
      rests = askedAtMs.length > 7;
    },
  );

  await clock.advance(60_000);

  expect(askedAtMs).toHaveLength(8);
  expect((askedAtMs[7] ?? 0) - (askedAtMs[5] ?? 0)).toBeLessThan(1_000);
});

test('the fence that one bucket has lost is set again, though others can be written', async () => {
  const serviceId = 'w'.repeat(25);
  server.wipe('plim_rollout');
  const times = { startedAtMs: 0, progressAtMs: 0 };
  const target = { serviceId, revision: 1, specVersion: 1 };
  const record = { v: 1, epoch: EPOCH, ...target, state: 'paused', message: '', ...times, slots: {} } as const;
  const write: Action = {
    kind: 'put-rollout',
    key: serviceId,
    record,
    expectedRevision: undefined,
    reason: 'it is paused',
  };
  const isWritten = () => store.entry('rollouts', serviceId) !== undefined;
  lead(
    (...given) => {
      const { chains } = rollsBack(...given);
      return { chains: isWritten() ? [] : [[write], ...chains], failures: [], tables: new Map(), nextAtMs: undefined };
    },
    async () => undefined,
  );

  await clock.advance(5_000);

  expect(isWritten()).toBe(true);
});
