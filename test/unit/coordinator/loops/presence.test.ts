import { afterEach, beforeEach, expect, test } from 'vitest';
import { Presence } from '../../../../coordinator/loops/presence.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';

let clock: FakeClock;
let server: MemoryServer;
let stopping: AbortController[];

beforeEach(() => {
  clock = new FakeClock();
  server = new MemoryServer({ clock });
  stopping = [];
});
afterEach(async () => {
  for (const each of stopping) each.abort();
  await clock.advance(0);
});

interface Seen {
  readonly connection: MemoryConnection;
  readonly nodes: () => readonly string[];
  readonly stop: () => void;
}

function startOn(node: string | undefined): Seen {
  const connection = server.connect(node);
  const stop = new AbortController();
  let nodes: ReadonlySet<string> = new Set();
  const store = { setCoordinatorNodes: (known: ReadonlySet<string>) => void (nodes = known) };
  const parts = { bus: connection.bus, store, clock, coordinatorId: randomId(), nodeId: () => node };
  void new Presence(parts).run(stop.signal);
  stopping.push(stop);
  return { connection, nodes: () => [...nodes].sort(), stop: () => stop.abort() };
}

test('coordinators know of each other at once', async () => {
  const [h1, h2] = [randomId(), randomId()];
  const first = startOn(h1);
  await clock.advance(500);
  const second = startOn(h2);
  await clock.advance(1);

  expect(first.nodes()).toEqual([h1, h2].sort());
  expect(second.nodes()).toEqual([h1, h2].sort());
});

test('one that ended is forgotten after three beats it owes', async () => {
  const [h1, h2] = [randomId(), randomId()];
  const first = startOn(h1);
  const second = startOn(h2);
  await clock.advance(1_500);
  second.stop();

  await clock.advance(1_000);
  expect(first.nodes()).toHaveLength(2);
  await clock.advance(3_000);
  expect(first.nodes()).toEqual([h1]);
});

test('one cut off from the bus still knows of itself', async () => {
  const h1 = randomId();
  const first = startOn(h1);
  startOn(randomId());
  await clock.advance(1);
  first.connection.disconnect();

  await clock.advance(5_000);

  expect(first.nodes()).toEqual([h1]);
});

test('a coordinator whose host is no node is nobody’s manager', async () => {
  const h1 = randomId();
  const first = startOn(h1);
  startOn(undefined);
  await clock.advance(1);

  expect(first.nodes()).toEqual([h1]);
});
