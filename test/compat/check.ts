/** Asks every expression of every dashboard and tells which have no data, and why. */
import type { Dashboard } from './dashboard.ts';
import { type Ownership, ownershipOf } from './ownership.ts';
import type { PrometheusClient } from './prometheus-client.ts';
import { selectorsOf } from './selectors.ts';
import { substitute, variableValues } from './variables.ts';

/**
 * `data`: it has. `host`: its labels ask for something these hosts do not have, such as a file system of another type.
 * `miss`: a series it asks for is not served, or nothing is left of them.
 */
export type Outcome = 'data' | 'host' | 'miss';

export interface Finding {
  readonly dashboard: string;
  /** With variables filled in. */
  readonly expression: string;
  readonly ownership: Ownership;
  readonly outcome: Outcome;
  /** Empty when there is data. */
  readonly why: string;
}

export async function checkDashboards(
  dashboards: readonly Dashboard[],
  prometheus: PrometheusClient,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, variables, expressions } of dashboards) {
    const values = await variableValues(variables, prometheus);
    for (const raw of expressions) {
      const expression = substitute(raw, values);
      const answer = await ask(expression, prometheus);
      findings.push({ dashboard: name, expression, ownership: ownershipOf(expression), ...answer });
    }
  }
  return findings;
}

async function ask(expression: string, prometheus: PrometheusClient): Promise<Pick<Finding, 'outcome' | 'why'>> {
  try {
    if ((await prometheus.query(expression)).length > 0) return { outcome: 'data', why: '' };
    return await diagnose(expression, prometheus);
  } catch (error) {
    return { outcome: 'miss', why: String(error) };
  }
}

/** The first selector that matches nothing says why. */
async function diagnose(expression: string, prometheus: PrometheusClient): Promise<Pick<Finding, 'outcome' | 'why'>> {
  const isThere = async (selector: string) => (await prometheus.query(`count(${selector})`)).length > 0;
  for (const { metric, text } of selectorsOf(expression)) {
    if (await isThere(text)) continue;
    if (metric === '' || !(await isThere(metric))) return { outcome: 'miss', why: `no series ${metric || text}` };
    return { outcome: asksForAnotherHost(text) ? 'host' : 'miss', why: `nothing matches ${text}` };
  }
  return { outcome: 'miss', why: 'all series are there, but nothing is left of them' };
}

/** File systems are a host's own: most hosts have no aufs, whoever measures them. */
function asksForAnotherHost(selector: string): boolean {
  return /\bfstype=~?["']/.test(selector);
}
