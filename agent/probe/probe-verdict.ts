/** What a row of probe results adds up to, as Kubernetes counts: so many in a row turn the verdict. Pure. */
import type { Probe } from '../../model/probe.ts';

/** One look at a container. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface ProbeVerdict {
  /** `waiting` until enough results of one kind came in a row. */
  readonly verdict: 'waiting' | 'passing' | 'failing';
  readonly successes: number;
  readonly failures: number;
  /** Of the last failure. */
  readonly why: string;
}

export const noVerdict: ProbeVerdict = { verdict: 'waiting', successes: 0, failures: 0, why: 'not probed yet' };

export function judge(before: ProbeVerdict, result: ProbeResult, probe: Probe): ProbeVerdict {
  if (result.ok) {
    const successes = before.successes + 1;
    const verdict = successes >= probe.successThreshold ? 'passing' : before.verdict;
    return { verdict, successes, failures: 0, why: before.why };
  }
  const failures = before.failures + 1;
  const verdict = failures >= probe.failureThreshold ? 'failing' : before.verdict;
  return { verdict, successes: 0, failures, why: result.why };
}
