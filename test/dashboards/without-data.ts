/** Which expressions of dashboards a Prometheus has no data for, whatever is chosen at the dashboard's head. */
import type { Dashboard } from '../compat/dashboard.ts';
import type { PrometheusClient } from '../compat/prometheus-client.ts';
import { substitute, variableValues } from '../compat/variables.ts';

/** The dashboards with only those of their expressions that have no data now; ask again for what is left. */
export function withoutData(dashboards: readonly Dashboard[], prometheus: PrometheusClient): Promise<Dashboard[]> {
  return Promise.all(
    dashboards.map(async (dashboard) => ({ ...dashboard, expressions: await emptyOf(dashboard, prometheus) })),
  );
}

/** A variable with one value at a time is tried with each, until every expression has had data. */
async function emptyOf(dashboard: Dashboard, prometheus: PrometheusClient): Promise<string[]> {
  let empty = [...dashboard.expressions];
  for (const chosen of await choices(dashboard, prometheus)) {
    const values = await variableValues(dashboard.variables, prometheus, chosen);
    const answers = await Promise.all(empty.map((expression) => prometheus.query(substitute(expression, values))));
    empty = empty.filter((_, index) => answers[index]?.length === 0);
  }
  return empty;
}

async function choices({ variables }: Dashboard, prometheus: PrometheusClient): Promise<Record<string, string>[]> {
  const single = variables.find(({ type, isMany }) => type === 'query' && !isMany);
  if (!single) return [{}];
  const values = await prometheus.labelValues(single.name, undefined);
  return values.map((value) => ({ [single.name]: value }));
}
