/** The overlay's side of the bus: reads what the leader gave out and what other nodes announce, and announces in turn. */
import { isDeepStrictEqual } from 'node:util';
import type { Buckets } from '../bus/buckets.ts';
import type { BucketView } from '../bus/bus.ts';
import type { EndpointRecord, NetRecord } from '../model/network-records.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Overlay } from './network/overlay/overlay.ts';

const RETRY = { firstMs: 100, maxMs: 5_000 };
/** An announcement that takes longer is made again by the next turn: containers do not wait for it. */
const ANNOUNCE_MS = 1_000;

export interface OverlayLinkParts {
  readonly nodeId: string;
  readonly overlay: Pick<Overlay, 'needed' | 'learn' | 'onAnnouncements'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Views {
  readonly nets: BucketView<NetRecord>;
  readonly endpoints: BucketView<EndpointRecord>;
}

/** Watches nothing until a task of this node wants a network; then until the signal aborts. */
export async function linkOverlay(
  buckets: Pick<Buckets, 'nets' | 'endpoints'>,
  parts: OverlayLinkParts,
  signal: AbortSignal,
): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([parts.overlay.needed, ended]);
  const views = await openViews(buckets, parts, signal);
  if (views === undefined) return;
  const learn = () => parts.overlay.learn(valuesOf(views.nets), valuesOf(views.endpoints));
  views.nets.onChange(learn);
  views.endpoints.onChange(learn);
  parts.overlay.onAnnouncements = (records) => announce(records, buckets, views, parts);
  learn();
  await ended;
  await Promise.all([views.nets.close(), views.endpoints.close()]);
}

async function openViews(
  buckets: Pick<Buckets, 'nets' | 'endpoints'>,
  { clock, log }: OverlayLinkParts,
  signal: AbortSignal,
): Promise<Views | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return { nets: await buckets.nets.watch(), endpoints: await buckets.endpoints.watch() };
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'cannot watch the networks of the cluster yet');
      await clock.sleep(backoffMs(RETRY, failures), signal).catch(() => undefined);
    }
  }
  return undefined;
}

function valuesOf<T>(view: BucketView<T>): T[] {
  return [...view.entries.values()].map((entry) => entry.value);
}

/** Writes what differs from what is stored, and takes away what this node has no task for any more. */
async function announce(
  records: readonly EndpointRecord[],
  { endpoints }: Pick<Buckets, 'endpoints'>,
  views: Views,
  { nodeId, clock }: OverlayLinkParts,
): Promise<void> {
  const keys = new Set(records.map(keyOf));
  const stored = views.endpoints.entries;
  const news = records.filter((record) => !isDeepStrictEqual(stored.get(keyOf(record))?.value, record));
  const gone = [...stored.values()].filter(({ key, value }) => value.nodeId === nodeId && !keys.has(key));
  const writes = Promise.all([
    ...news.map((record) => endpoints.put(keyOf(record), record)),
    ...gone.map(({ key }) => endpoints.delete(key)),
  ]);
  const late = () => new PlimsollError('timeout', `The bus did not take it within ${ANNOUNCE_MS} ms`);
  if (news.length + gone.length > 0) await withDeadline(clock, ANNOUNCE_MS, writes, late);
}

function keyOf({ networkId, nodeId }: EndpointRecord): string {
  return `${networkId}.${nodeId}`;
}
