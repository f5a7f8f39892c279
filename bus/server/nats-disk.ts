/**
 * The disk under NATS. A server that could not write to a stream once (2.15, "critical write error") takes no more writes
 * to it until it is started again, however much space there is by then. So whoever runs beside it starts it again.
 */
import { statfs } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { natsFiles, runningNatsPid } from './nats-server.ts';

const LOOK_MS = 1_000;
const FULL_BELOW_BYTES = 8 * 1024 * 1024;
/** More than that again, so that it does not fill up at once. */
const SPACE_FROM_BYTES = 64 * 1024 * 1024;

export type DiskState = 'enough' | 'full';

/** `full` until there is plenty again. Pure. */
export function diskStateAfter(before: DiskState, freeBytes: number): DiskState {
  if (freeBytes < FULL_BELOW_BYTES) return 'full';
  return freeBytes >= SPACE_FROM_BYTES ? 'enough' : before;
}

export interface NatsDiskParts {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Watches until the signal aborts; tells of a full disk once, and has NATS started again when it is over. */
export async function watchNatsDisk(parts: NatsDiskParts, signal: AbortSignal): Promise<void> {
  let state: DiskState = 'enough';
  while (!signal.aborted) {
    const freeBytes = await freeBytesOf(parts);
    const next: DiskState = freeBytes === undefined ? state : diskStateAfter(state, freeBytes);
    if (next !== state) noteChange(parts, next, freeBytes);
    state = next;
    await parts.clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

async function freeBytesOf({ stateDir, log }: NatsDiskParts): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(natsFiles(stateDir).folder);
    return bavail * bsize;
  } catch (error) {
    log.debug({ error: messageOf(error) }, "cannot look at NATS's disk");
    return undefined;
  }
}

function noteChange({ stateDir, log }: NatsDiskParts, state: DiskState, freeBytes: number | undefined): void {
  const { folder } = natsFiles(stateDir);
  if (state === 'full') {
    log.error(
      { folder, freeBytes, wantedBytes: SPACE_FROM_BYTES },
      'the disk under NATS is full: nothing can be changed',
    );
    return;
  }
  log.warn({ folder, freeBytes }, 'the disk under NATS has space again: ending NATS, its supervisor starts it anew');
  const pid = runningNatsPid(stateDir);
  if (pid !== undefined) end(pid, log);
}

/** It may have ended by itself this very moment, or be another user's. */
function end(pid: number, log: Log): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    log.warn({ pid, error: messageOf(error) }, 'cannot end NATS');
  }
}
