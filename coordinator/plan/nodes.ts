/** The nodes as a planner sees them: wish, description and liveness in one value. */
import type { NodeRecord, NodeSpecRecord } from '../../model/node-record.ts';
import type { NodeLiveness, NodeState, Snapshot } from '../store/snapshot.ts';
import type { Moment } from './actions.ts';

/** Tasks of a node whose engine has not answered for this long are replaced elsewhere. */
export const ENGINE_PATIENCE_MS = 30_000;

export interface PlanNode {
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  readonly spec: NodeSpecRecord | undefined;
  readonly record: NodeRecord | undefined;
  readonly state: NodeState;
  /** Of its agent's present life: a beat tells of a new one before the agent has registered. */
  readonly incarnation: number | undefined;
  readonly availability: NodeSpecRecord['availability'];
  /** Its tasks are taken for gone: they get stand-ins, as soon as their service's failover policy has it. */
  readonly lost: boolean;
  /** Of a lost node: for how long it has been so, and, where its agent is not heard, when it can last have heard the leader. */
  readonly lostForMs: number | undefined;
  readonly silentForMs: number | undefined;
  /** The operator removed it and it is not heard of: nothing on it counts any more. */
  readonly removed: boolean;
}

/** The ids of every node any record speaks of; `withTasks` are those that assignments name. */
export function idsOfNodes(snapshot: Snapshot, withTasks: Iterable<string>): Set<string> {
  return new Set([...snapshot.nodes.keys(), ...snapshot.nodeSpecs.keys(), ...withTasks]);
}

/** One node as it is now. */
export function nodeOf(snapshot: Snapshot, id: string, now: Moment): PlanNode {
  const spec = snapshot.nodeSpecs.get(id)?.value;
  const record = snapshot.nodes.get(id)?.value;
  const liveness = snapshot.liveness.get(id);
  const state = liveness?.state ?? 'unknown';
  const engineGone = state === 'engine-unresponsive' && now.elapsedMs - (liveness?.sinceMs ?? 0) >= ENGINE_PATIENCE_MS;
  const heardOf = state === 'ready' || state === 'engine-unresponsive' || state === 'suspect';
  return {
    id,
    name: spec?.name ?? record?.hostname ?? id,
    spec,
    record,
    state,
    incarnation: newest(record?.incarnation, liveness?.incarnation),
    availability: spec?.availability ?? 'active',
    lost: state === 'lost' || engineGone,
    lostForMs: (state === 'lost' || engineGone) && liveness ? now.elapsedMs - liveness.sinceMs : undefined,
    silentForMs: state === 'lost' && liveness ? now.elapsedMs - lastContactOf(liveness) : undefined,
    removed: !spec && !record && !heardOf,
  };
}

function lastContactOf({ lastContactMs, sinceMs }: NodeLiveness): number {
  return lastContactMs ?? sinceMs;
}

function newest(registered: number | undefined, beating: number | undefined): number | undefined {
  return registered === undefined || beating === undefined ? (registered ?? beating) : Math.max(registered, beating);
}

/** The moment on the wall clock at which an unresponsive engine's tasks are given up, if one is waited for. */
export function enginePatienceEndsMs(snapshot: Snapshot, now: Moment): number | undefined {
  const waits = [...snapshot.liveness.values()]
    .filter((liveness) => liveness.state === 'engine-unresponsive')
    .map((liveness) => liveness.sinceMs + ENGINE_PATIENCE_MS - now.elapsedMs)
    .filter((waitMs) => waitMs > 0);
  return waits.length === 0 ? undefined : now.wallMs + Math.min(...waits);
}
