/** Services that end: what a job is asked to do, read from its mode. Semantics: swarmkit manager/orchestrator/jobs. */
import type { ServiceSpec } from './service-spec.ts';

export interface JobRules {
  /** How many slots have to end with exit code 0. */
  readonly completions: number;
  /** How many of them run at a time. */
  readonly concurrent: number;
}

export function isJob({ Mode }: ServiceSpec): boolean {
  return Mode?.ReplicatedJob !== undefined || Mode?.GlobalJob !== undefined;
}

/** The counts of a replicated job with defaults filled in; undefined for any other service. */
export function replicatedJobRules({ Mode }: ServiceSpec): JobRules | undefined {
  const job = Mode?.ReplicatedJob;
  if (!job) return undefined;
  const concurrent = job.MaxConcurrent ?? 1;
  return { completions: job.TotalCompletions ?? concurrent, concurrent };
}

/** The number Docker's API gives to a run of a job: each update makes a new revision, and each revision is a new run. */
export function jobIteration(revision: number): number {
  return revision - 1;
}
