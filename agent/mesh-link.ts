/** The routing mesh's side of the bus: reads what the other nodes announce, and announces in turn. No leader is in the path. */
import { isDeepStrictEqual } from 'node:util';
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView } from '../bus/bus.ts';
import { MeshRecord } from '../model/mesh-record.ts';
import type { NodeRecord } from '../model/records.ts';
import { aborted } from '../runtime/aborted.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Mesh } from './network/mesh/mesh.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };
/** An announcement that takes longer is made again by the next turn: a task that leaves does not wait for it. */
const ANNOUNCE_MS = 1_000;

export interface MeshLinkParts {
  readonly nodeId: string;
  readonly mesh: Pick<Mesh, 'announce' | 'learn' | 'setAddress'>;
  readonly describe: () => Promise<NodeRecord>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Until the signal aborts. */
export async function linkMesh(
  { meshes }: Pick<Buckets, 'meshes'>,
  parts: MeshLinkParts,
  signal: AbortSignal,
): Promise<void> {
  const { mesh, nodeId, clock, log } = parts;
  const view = await openView(meshes, parts, signal);
  if (view === undefined) return;
  let isToldUnfit = false;
  mesh.announce = async (record) => {
    if (isDeepStrictEqual(view.entries.get(nodeId)?.value, record)) return;
    // What nobody can read is heard here as well, as a change: announced, it would be announced again for ever.
    if (!MeshRecord.safeParse(record).success) {
      if (!isToldUnfit) log.warn({ address: record.address }, 'the routing mesh needs an IPv4 address of this node');
      isToldUnfit = true;
      return;
    }
    const late = () => new PlimsollError('timeout', `The bus did not take it within ${ANNOUNCE_MS} ms`);
    await withDeadline(clock, ANNOUNCE_MS, meshes.put(nodeId, record), late);
  };
  const learn = () => {
    const entries = [...view.entries.values()].sort((a, b) => a.revision - b.revision);
    void mesh.learn(entries.map(({ value }) => value));
  };
  view.onChange(learn);
  mesh.setAddress((await parts.describe()).address);
  learn();
  await aborted(signal);
  await view.close();
}

async function openView(
  meshes: Buckets['meshes'],
  { clock, log }: MeshLinkParts,
  signal: AbortSignal,
): Promise<BucketView<MeshRecord> | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await meshes.watch();
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot watch the routing mesh of the cluster yet');
      await clock.sleep(backoffMs(RETRY, failures), signal).catch(() => undefined);
    }
  }
  return undefined;
}
