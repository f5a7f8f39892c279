import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { subjects } from '../../../../bus/subjects.ts';
import { coordinatorMetrics } from '../../../../coordinator/loops/coordinator-metrics.ts';
import { LivenessLoop } from '../../../../coordinator/loops/liveness-loop.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import type { Beat } from '../../../../model/messages.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';

const nodeId = randomId();
let clock: FakeClock;
let connection: MemoryConnection;
let store: Store;
let registry: Registry;
let probedAtMs: number[];
let stop: AbortController;
let sequence: number;

beforeEach(async () => {
  clock = new FakeClock();
  connection = new MemoryServer({ clock }).connect();
  store = await openStore({ buckets: connection.buckets, clock });
  registry = new Registry();
  probedAtMs = [];
  stop = new AbortController();
  sequence = 0;
  const loop = new LivenessLoop({
    bus: connection.bus,
    store,
    clock,
    log: createLog('test', 'silent'),
    metrics: coordinatorMetrics(registry),
    probe: async () => {
      probedAtMs.push(clock.elapsedMs());
      return 'unreachable';
    },
    leadingSinceMs: () => Number.NEGATIVE_INFINITY,
    onChange: () => undefined,
  });
  void loop.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await store.close();
});

async function beatFor(durationMs: number, changes: Partial<Beat> = {}): Promise<void> {
  for (const endMs = clock.elapsedMs() + durationMs; clock.elapsedMs() < endMs; ) {
    sequence += 1;
    const beat: Beat = { nodeId, incarnation: 1, sequence, mainLoopAgeMs: 0, engineResponsive: true, epoch: 1 };
    connection.bus.publish(subjects.beat(nodeId), { ...beat, ...changes });
    await clock.advance(500);
  }
}

const stateNow = () => store.snapshot().liveness.get(nodeId)?.state;

async function turnsSoFar(): Promise<number> {
  const { values } = (await registry.getSingleMetric('plimsoll_coordinator_loop_runs_total')?.get()) ?? { values: [] };
  return values.find(({ labels }) => labels.loop === 'liveness')?.value ?? 0;
}

test('looks seldom while all beat, and at once when the first owes its beat', async () => {
  await beatFor(5_000);
  const before = await turnsSoFar();
  await beatFor(10_000);
  const turns = (await turnsSoFar()) - before;
  const lastBeatMs = clock.elapsedMs() - 500;
  await clock.advance(600);

  expect(stateNow()).toBe('suspect');
  expect(probedAtMs).toEqual([lastBeatMs + 1_000]);
  expect(turns).toBeLessThanOrEqual(30);
});

test('a node whose engine ceases to answer is known by the beat that says so', async () => {
  await beatFor(2_000);
  expect(stateNow()).toBe('ready');

  connection.bus.publish(subjects.beat(nodeId), {
    nodeId,
    incarnation: 1,
    sequence: 99,
    mainLoopAgeMs: 0,
    engineResponsive: false,
    epoch: 1,
  });
  await clock.advance(0);

  expect(stateNow()).toBe('engine-unresponsive');
});

test('time in which this process hung is taken off the silence of nodes', async () => {
  await beatFor(2_000);

  clock.hang(5_000);
  await clock.advance(0);

  expect([stateNow(), probedAtMs]).toEqual(['ready', []]);
});
