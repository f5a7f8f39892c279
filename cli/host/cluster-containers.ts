/** Containers of a cluster on this host, found by their label; nobody else's are touched. */
import { z } from 'zod';
import { EngineCalls } from '../../agent/engine/engine-calls.ts';
import { containerLabels } from '../../model/labels.ts';
import { systemClock } from '../../runtime/clock.ts';

const CONCURRENT_STOPS = 8;
const LIST_MS = 30_000;
/** Docker waits for each container's own stop grace, however long that is. */
const STOP_MS = 24 * 3_600_000;

const Listed = z.array(z.object({ Id: z.string() }));

/** Stops (each with its own grace) and removes every container of the cluster; answers how many there were. */
export async function removeClusterContainers(dockerUrl: string, clusterId: string): Promise<number> {
  const engine = new EngineCalls(dockerUrl, systemClock);
  const filters = JSON.stringify({ label: [`${containerLabels.cluster}=${clusterId}`] });
  const list = { method: 'GET', path: '/containers/json', query: { all: '1', filters }, deadlineMs: LIST_MS } as const;
  const containers = await engine.call(list, Listed);
  const waiting = containers.map(({ Id }) => Id);
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await removeContainer(engine, id);
  };
  await Promise.all(Array.from({ length: CONCURRENT_STOPS }, worker));
  return containers.length;
}

/** One that is stopped or gone already is no error. */
async function removeContainer(engine: EngineCalls, id: string): Promise<void> {
  const path = `/containers/${id}`;
  const stop = { method: 'POST', path: `${path}/stop`, deadlineMs: STOP_MS, fineToo: [304, 404] } as const;
  await engine.call(stop, z.unknown());
  const query = { force: '1', v: '1' };
  const remove = { method: 'DELETE', path, query, deadlineMs: STOP_MS, fineToo: [404, 409] } as const;
  await engine.call(remove, z.unknown());
}
