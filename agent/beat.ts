/** Sends a node's beats: small, unacknowledged, every 500 ms. */
import type { Bus } from '../bus/bus.ts';
import { subjects } from '../bus/subjects.ts';
import type { Beat } from '../model/messages.ts';
import type { Clock } from '../runtime/clock.ts';
import { every } from '../runtime/every.ts';
import type { BeatState } from './beat-state.ts';

const BEAT_MS = 500;

export interface Beating {
  readonly nodeId: string;
  readonly incarnation: number;
  readonly state: BeatState;
  readonly clock: Clock;
  readonly monotonicNs: () => bigint;
}

/** Beats on `bus` until the signal aborts. */
export async function beatUntil(
  bus: Pick<Bus, 'publish'>,
  { nodeId, incarnation, state, clock, monotonicNs }: Beating,
  signal: AbortSignal,
): Promise<void> {
  let sequence = 0;
  const beat = () => {
    const message: Beat = {
      nodeId,
      incarnation,
      sequence,
      mainLoopAgeMs: state.mainLoopAgeMs(monotonicNs()),
      engineResponsive: state.engineResponsive,
      epoch: state.epoch,
    };
    bus.publish(subjects.beat(nodeId), message);
    sequence += 1;
  };
  await every(clock, BEAT_MS, beat, signal);
}
