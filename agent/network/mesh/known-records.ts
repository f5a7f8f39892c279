/**
 * What the nodes have announced, over a bucket that lost all of it: the others announce again as soon as they notice, and until
 * then connections go on to where they went. Pure.
 */
import type { MeshRecord } from '../../../model/mesh-record.ts';

/** Agents that are there notice within seconds. */
const GRACE_MS = 30_000;

export interface KnownRecords {
  /** This node's own included. */
  readonly records: readonly MeshRecord[];
  /** Until when those count that are announced no more, by node. */
  readonly untilMs: ReadonlyMap<string, number>;
}

export const nothingKnown: KnownRecords = { records: [], untilMs: new Map() };

/**
 * News over what was known. Single records go when their node is removed; where this node's own is gone, which nobody else
 * removes, the bucket was lost.
 */
export function withNews(
  before: KnownRecords,
  news: readonly MeshRecord[],
  { nodeId, nowMs }: { readonly nodeId: string; readonly nowMs: number },
): KnownRecords {
  const told = new Set(news.map((record) => record.nodeId));
  const isLost = before.records.some((record) => record.nodeId === nodeId) && !told.has(nodeId);
  const missing = before.records.filter((record) => record.nodeId !== nodeId && !told.has(record.nodeId));
  const untilMs = new Map<string, number>();
  for (const record of missing) {
    const until = before.untilMs.get(record.nodeId) ?? (isLost ? nowMs + GRACE_MS : undefined);
    if (until !== undefined) untilMs.set(record.nodeId, until);
  }
  const kept = missing.filter((record) => untilMs.has(record.nodeId));
  return withoutExpired({ records: [...kept, ...news], untilMs }, nowMs);
}

/** Without those whose time is over; the same object when there are none. */
export function withoutExpired(known: KnownRecords, nowMs: number): KnownRecords {
  const left = [...known.untilMs].filter(([, until]) => until > nowMs);
  if (left.length === known.untilMs.size) return known;
  const untilMs = new Map(left);
  const isExpired = ({ nodeId }: MeshRecord) => known.untilMs.has(nodeId) && !untilMs.has(nodeId);
  return { records: known.records.filter((record) => !isExpired(record)), untilMs };
}
