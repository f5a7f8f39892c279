/** Whether a program of `plim monitoring up --native` is well: its unit runs, it answers, and it is the one that does. */
import { messageOf } from '../../runtime/errors.ts';
import { listensOn } from '../host/port-holder.ts';
import type { UnitHost } from '../host/unit-host.ts';

const ANSWER_TIMEOUT_MS = 2_000;

/** Undefined when it is well. For root, as they are root's. */
export async function programProblem(
  units: Pick<UnitHost, 'processId' | 'logHint'>,
  unit: string,
  readyUrl: string,
): Promise<string | undefined> {
  const pid = await units.processId(unit);
  if (pid === undefined) return `it does not run: ${units.logHint(unit)}`;
  const problem = await readinessProblem(readyUrl);
  if (problem !== undefined || listensOn(pid, Number(new URL(readyUrl).port))) return problem;
  return `another program answers there: ${units.logHint(unit)}`;
}

async function readinessProblem(url: string): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return ok ? undefined : `it answers ${status}`;
  } catch (error) {
    return `it does not answer: ${messageOf(error instanceof Error && error.cause ? error.cause : error)}`;
  }
}
