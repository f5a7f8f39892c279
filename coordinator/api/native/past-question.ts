/** What is asked about an earlier time. */
import type { Bus } from '../../../bus/bus.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Named } from './the-one-meant.ts';

export interface PastQuestion {
  readonly snapshot: Snapshot;
  readonly bus: Pick<Bus, 'stored'>;
  readonly atMs: number;
  readonly nowMs: number;
}

/** A slot of a service, and the task of it that is meant, unless it is whichever was there. */
export interface SlotMeant extends Named {
  readonly service: ServiceRecord;
  readonly slotKey: string;
  readonly taskId?: string;
}
