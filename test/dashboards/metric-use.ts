/** Which documented metrics are used, by dashboards and by rules. Pure. */
import { z } from 'zod';
import { selectorUses, withoutVariables } from './promql-tree.ts';

interface Family {
  readonly name: string;
  readonly type: string;
}

/** The row of docs/metrics.md a series belongs to: by its name, by a histogram's, or by a pattern with `*`. */
export function familyOf<F extends Family>(metric: string, documented: readonly F[]): F | undefined {
  const names = [metric, metric.replace(/_(bucket|sum|count)$/, '')];
  return (
    documented.find(({ name }) => names.includes(name)) ??
    documented.find(({ name }) => name.includes('*') && new RegExp(`^${name.replaceAll('*', '.*')}$`).test(metric))
  );
}

/** Metrics an expression asks for; none for a selector without a name. */
export function metricsIn(expr: string): string[] {
  return selectorUses(withoutVariables(expr)).flatMap(({ metric }) => (metric === '' ? [] : [metric]));
}

const RuleFile = z.object({ groups: z.array(z.object({ rules: z.array(z.looseObject({ expr: z.string() })) })) });

/** The expressions of a file of rules, alerting and recording. */
export function expressionsOfRules(content: unknown): string[] {
  return RuleFile.parse(content).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}
