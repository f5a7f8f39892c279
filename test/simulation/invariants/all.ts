/** Every invariant that is watched all the time; convergence and quiet are asked for at the end, see run.ts. */

import { dataStays } from './data-stays.ts';
import type { InvariantMaker } from './invariant.ts';
import { jobsRunOnce } from './jobs-run-once.ts';
import { keptApart } from './kept-apart.ts';
import { neverTwo } from './never-two.ts';
import { noFalseAlarms } from './no-false-alarms.ts';
import { oneContainerPerTask } from './one-container-per-task.ts';
import { oneLeaderWrites } from './one-leader-writes.ts';
import { oneTaskPerSlot } from './one-task-per-slot.ts';
import { stopsHaveReasons } from './stops-have-reasons.ts';
import { updatesKeepTheirPromise } from './updates-keep-their-promise.ts';
import { wishesAreKept } from './wishes-are-kept.ts';

export const invariants: readonly InvariantMaker[] = [
  oneContainerPerTask,
  oneTaskPerSlot,
  neverTwo,
  oneLeaderWrites,
  stopsHaveReasons,
  updatesKeepTheirPromise,
  wishesAreKept,
  noFalseAlarms,
  jobsRunOnce,
  dataStays,
  keptApart,
];
