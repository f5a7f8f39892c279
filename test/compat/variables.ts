/** What Grafana puts in place of variables before it asks Prometheus. */
import type { Variable } from './dashboard.ts';
import type { PrometheusClient } from './prometheus-client.ts';

/** What Grafana itself provides, for a dashboard that shows some minutes. */
const builtIn: Readonly<Record<string, string>> = {
  __rate_interval: '1m',
  __interval: '1m',
  __interval_ms: '60000',
  __range: '5m',
  __range_s: '300',
  __range_ms: '300000',
};
const DEFAULT_INTERVAL = '1m';

/** Names to values, for variables whose queries may refer to those before them. `chosen` are not asked for. */
export async function variableValues(
  variables: readonly Variable[],
  prometheus: PrometheusClient,
  chosen: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const values = new Map(Object.entries(builtIn));
  for (const variable of variables) {
    values.set(variable.name, chosen[variable.name] ?? (await valueOf(variable, values, prometheus)));
  }
  return values;
}

/** `$name`, `${name}`, `${name:format}` and `[[name]]`; what is not known stays as it is. */
export function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]/g, (whole, braced, plain, bracketed) => {
    return values.get(braced ?? plain ?? bracketed) ?? whole;
  });
}

async function valueOf(
  variable: Variable,
  known: ReadonlyMap<string, string>,
  prometheus: PrometheusClient,
): Promise<string> {
  if (variable.type === 'interval') return DEFAULT_INTERVAL;
  if (variable.type !== 'query') return variable.query.split(',')[0]?.trim() ?? '';
  const found = await answersTo(substitute(variable.query, known), prometheus);
  const chosen = [...new Set(found.flatMap((text) => filtered(text, variable.regex)))];
  if (!variable.isMany) return chosen[0] ?? '';
  return variable.allValue ?? (chosen.length === 0 ? '.*' : `(${chosen.map(escapeRegex).join('|')})`);
}

/** `label_values(selector, label)`, `label_values(label)`, `query_result(expression)`, or a selector for whole series. */
async function answersTo(query: string, prometheus: PrometheusClient): Promise<string[]> {
  const [, inner] = /^label_values\((.*)\)$/s.exec(query.trim()) ?? [];
  if (inner !== undefined) {
    const comma = inner.lastIndexOf(',');
    const label = inner.slice(comma + 1).trim();
    return prometheus.labelValues(label, comma === -1 ? undefined : inner.slice(0, comma).trim());
  }
  const [, expression] = /^query_result\((.*)\)$/s.exec(query.trim()) ?? [];
  const series = await prometheus.query(expression ?? query);
  return series.map(({ labels }) => seriesText(labels));
}

function seriesText({ __name__ = '', ...labels }: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return `${__name__}{${pairs.join(',')}}`;
}

/** A regex between slashes, as Grafana writes it: its first group, else the whole match. */
function filtered(text: string, regex: string): string[] {
  if (regex === '') return [text];
  const match = new RegExp(regex.replace(/^\/(.*)\/\w*$/s, '$1')).exec(text);
  return match ? [match[1] ?? match[0]] : [];
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\\\$&');
}
