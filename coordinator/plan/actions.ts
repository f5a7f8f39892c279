/** What the planner may ask to be done: a value per write, each with its reason; `apply/` carries them out. */
import type { NetRecord } from '../../model/network-records.ts';
import type { PlacementTable } from '../../model/placement-table.ts';
import type { RolloutRecord } from '../../model/rollout-record.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';

/** What every action carries: why, for people, and the revision it overwrites (absent = the key must not exist). */
interface Write {
  readonly key: string;
  readonly reason: string;
}
interface Overwrite extends Write {
  readonly expectedRevision: number;
}

export type Action =
  | (Write & { kind: 'put-slot'; record: SlotRecord; expectedRevision: number | undefined })
  | (Overwrite & { kind: 'delete-slot' })
  | (Write & { kind: 'create-task'; record: TaskRecord })
  | (Overwrite & { kind: 'update-task'; record: TaskRecord })
  | (Overwrite & { kind: 'delete-task'; record: TaskRecord })
  | (Write & { kind: 'put-rollout'; record: RolloutRecord; expectedRevision: number | undefined })
  | (Overwrite & { kind: 'delete-rollout' })
  | (Overwrite & { kind: 'delete-scale' })
  | (Write & { kind: 'put-net'; record: NetRecord; expectedRevision: number | undefined })
  | (Overwrite & { kind: 'delete-net' })
  | (Overwrite & { kind: 'delete-service' })
  | (Overwrite & { kind: 'roll-back-service' });

export type ActionKind = Action['kind'];

/** Actions in one chain run in order and stop at the first failure; chains run beside each other. */
export type Chain = readonly Action[];

/** What could not be planned: a bug of ours or a bad record, which is to hurt nothing else. */
export interface PlanFailure {
  /** A service; or the addresses of all networks. */
  readonly of: { readonly serviceId: string } | 'networks';
  readonly error: unknown;
}

export interface Plan {
  readonly chains: readonly Chain[];
  readonly failures: readonly PlanFailure[];
  /** How placement found the nodes, by service, where a task was placed or asked in vain. */
  readonly tables: ReadonlyMap<string, PlacementTable>;
  /** When time alone will call for another plan, in wall milliseconds; undefined = only a change can. */
  readonly nextAtMs: number | undefined;
}

/** The moment a plan is made for: wall time for records, elapsed time for what was measured in this process. */
export interface Moment {
  readonly wallMs: number;
  readonly elapsedMs: number;
}

/** One line for logs and `plim why`. */
export function describe(action: Action): string {
  return `${action.kind} ${action.key}: ${action.reason}`;
}

/** All actions of a plan in order, for counting and for tests. */
export function actionsOf(plan: Pick<Plan, 'chains'>): Action[] {
  return plan.chains.flat();
}
