import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FakeClock } from '../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';

describe('a connection to the memory server whose cable is cut', () => {
  let clock: FakeClock;
  let server: MemoryServer;
  let client: MemoryConnection;

  beforeEach(() => {
    clock = new FakeClock();
    server = new MemoryServer({ clock });
    client = server.connect('client');
    client.bus.answer('h1', 'orphans', z.unknown(), async () => 'here');
  });

  const ask = () => server.connect('leader').bus.askNode('h1', 'orphans', null, z.string(), 1_000);

  async function cutFor(durationMs: number): Promise<void> {
    client.cut();
    await clock.advance(durationMs);
    client.heal();
  }

  it('is not given up for a short cut that meets the end of the wait begun with an earlier one (simulation, seed 30778)', async () => {
    await cutFor(300);
    await clock.advance(9_600);
    await cutFor(300);
    await clock.advance(30_000);

    expect(client.connected).toBe(true);
    expect(await ask()).toBe('here');
  });

  it('is opened again by a client that has not noticed, when the server began a new life meanwhile', async () => {
    client.cut();
    server.crash();
    server.restart();
    await clock.advance(300);
    expect(client.connected).toBe(true);
    client.heal();
    await clock.advance(1_000);

    expect(client.connected).toBe(true);
    expect(await ask()).toBe('here');
  });
});
