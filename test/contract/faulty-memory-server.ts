/** The bus in memory, in real time. */
import { systemClock } from '../../runtime/clock.ts';
import { MemoryServer } from '../support/memory-bus.ts';
import type { FaultyServer } from './faulty-server.ts';

export async function startFaultyMemoryServer(): Promise<FaultyServer> {
  const server = new MemoryServer({ clock: systemClock, random: Math.random });
  return {
    connect: async () => server.connect(),
    kill: async () => server.crash(),
    restart: async () => server.restart(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    purge: async (bucket) => server.store(bucket).purge(),
    recreate: async (bucket) => server.recreate(bucket),
    stop: async () => server.stop(),
  };
}
