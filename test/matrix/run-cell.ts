/** One cell: the baseline, the phase, the fault in its middle, then a wait until all is whole again, and the verdict. */
import { setTimeout as delay } from 'node:timers/promises';
import { probeTcp } from '../../runtime/tcp-probe.ts';
import { eventually } from '../support/eventually.ts';
import type { Lab } from '../support/lab.ts';
import type { EngineSample, LabContainer } from '../support/lab-engines.ts';
import type { LabWatch } from '../support/lab-watch.ts';
import { act } from './act.ts';
import { allowanceOf } from './allowance.ts';
import type { MatrixLab } from './baseline.ts';
import { type Cell, hostOf } from './cell.ts';
import { judge } from './verdict.ts';
import { beginPhase, wantedAfter } from './workload.ts';

const SAMPLE_MS = 150;
const POLL_MS = 200;
/** Whole is what stays whole: late mistakes show themselves within this time. */
const HOLD_MS = 2_000;
const HEAL_MS = 90_000;

export interface CellResult {
  readonly cell: Cell;
  /** When the fault began, for a look into the logs. */
  readonly startedAt: string;
  /** What happened that the fault does not explain; empty means passed. */
  readonly violations: readonly string[];
  readonly faultMs: number;
  /** From the beginning of the fault until everything is, and stays, as it should be. */
  readonly healMs: number;
  /** See `Verdict`. */
  readonly outageMs: number;
}

/** Throws when the cell could not be run at all; what the cluster did wrong is in the result. */
export async function runCell(matrixLab: MatrixLab, cell: Cell): Promise<CellResult> {
  await matrixLab.reachBaseline(cell);
  const { watch, cluster, lab } = matrixLab;
  const before = await runningNow(watch);
  const runsBefore = await runsOf(watch, before);
  const { samples, stop } = startSampling(watch);
  try {
    await beginPhase(cell.phase, cluster, watch.engines);
    const startedAt = new Date().toISOString();
    const faultAtMs = performance.now();
    await act(lab, cell);
    const liftedAtMs = performance.now();
    if (cell.target === 'agent') await agentAnswers(lab, cell);
    const agentAwayMs = performance.now() - faultAtMs;
    const healed = await untilWhole(watch, wantedAfter(cell.phase));
    await stop();
    const runsAfter = await runsOf(watch, await runningNow(watch));
    const survivors = new Set(before.map(({ id }) => id).filter((id) => runsBefore.get(id) === runsAfter.get(id)));
    const allowance = allowanceOf(cell, wasEnded(cell) ? agentAwayMs : 0);
    const verdict = judge({ phase: cell.phase, allowance, before, survivors, samples, faultAtMs, liftedAtMs });
    return {
      cell,
      startedAt,
      violations: [...healed.complaints, ...verdict.violations],
      faultMs: liftedAtMs - faultAtMs,
      healMs: healed.atMs - faultAtMs,
      outageMs: verdict.outageMs,
    };
  } finally {
    await stop();
  }
}

function wasEnded({ fault }: Cell): boolean {
  return fault === 'kill' || fault === 'restart';
}

/** A busy machine takes seconds to start a program. */
async function agentAnswers(lab: Lab, cell: Cell): Promise<void> {
  const address = lab.hosts.find(({ name }) => name === hostOf(cell))?.address ?? '';
  const listens = async () => (await probeTcp({ address, port: 7701, timeoutMs: 1_000 })).reachable;
  await eventually(listens, { timeoutMs: HEAL_MS, intervalMs: POLL_MS, what: `the agent on ${address} to listen` });
}

function startSampling(watch: LabWatch): { readonly samples: readonly EngineSample[]; stop(): Promise<void> } {
  const samples: EngineSample[] = [];
  const ending = new AbortController();
  const following = watch.engines.follow(SAMPLE_MS, (sample) => samples.push(sample), ending.signal);
  const stop = async () => {
    ending.abort();
    await following;
  };
  return { samples, stop };
}

async function runningNow({ engines }: LabWatch): Promise<readonly LabContainer[]> {
  return (await engines.containers()).filter((container) => container.running);
}

async function runsOf(
  { engines }: LabWatch,
  containers: readonly LabContainer[],
): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(containers.map(async (each) => [each.id, await engines.runOf(each)] as const)));
}

/** When the lab became whole and stayed so; complaints when it did not in time. */
async function untilWhole(
  watch: LabWatch,
  wanted: Readonly<Record<string, number>>,
): Promise<{ readonly atMs: number; readonly complaints: readonly string[] }> {
  const deadlineMs = performance.now() + HEAL_MS;
  let wholeSinceMs: number | undefined;
  for (;;) {
    const nowMs = performance.now();
    const complaints = await watch.complaints(wanted);
    wholeSinceMs = complaints.length === 0 ? (wholeSinceMs ?? nowMs) : undefined;
    if (wholeSinceMs !== undefined && nowMs - wholeSinceMs >= HOLD_MS) return { atMs: wholeSinceMs, complaints: [] };
    if (wholeSinceMs === undefined && nowMs > deadlineMs) return { atMs: nowMs, complaints };
    await delay(POLL_MS);
  }
}
