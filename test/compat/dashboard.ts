/** Grafana dashboards and lists of expressions as files; read for their expressions only. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** A template variable: `label_values(up, job)` and the like, or a list of values. */
export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  /** With a group, the group is the value. */
  readonly regex: string;
  /** Whether the dashboard shows several values at once. */
  readonly isMany: boolean;
  readonly allValue: string | undefined;
}

export interface Dashboard {
  /** Its file. */
  readonly name: string;
  readonly variables: readonly Variable[];
  /** Each once. */
  readonly expressions: readonly string[];
}

const Query = z.union([z.string(), z.object({ query: z.string() }).transform(({ query }) => query)]).catch('');
const Template = z.object({
  name: z.string(),
  type: z.string(),
  query: Query.optional(),
  regex: z.string().nullish(),
  multi: z.boolean().nullish(),
  includeAll: z.boolean().nullish(),
  allValue: z.string().nullish(),
});
const DashboardFile = z.looseObject({ templating: z.object({ list: z.array(Template).default([]) }).optional() });

/** Every `*.json` and every `*.tsv` (dashboard, tab, expression with VAR for variables) of a directory. */
export function readDashboards(directory: string): Dashboard[] {
  const files = readdirSync(directory).toSorted();
  return files.flatMap((file) => {
    const path = join(directory, file);
    if (file.endsWith('.tsv')) return parseExpressionList(file, readFileSync(path, 'utf8'));
    return file.endsWith('.json') ? [parseDashboard(file, JSON.parse(readFileSync(path, 'utf8')))] : [];
  });
}

/** Throws when the file is no dashboard. */
export function parseDashboard(name: string, content: unknown): Dashboard {
  const { templating } = DashboardFile.parse(content);
  const variables = (templating?.list ?? []).map((template) => ({
    name: template.name,
    type: template.type,
    query: template.query ?? '',
    regex: template.regex ?? '',
    isMany: template.multi === true || template.includeAll === true,
    allValue: template.allValue ?? undefined,
  }));
  return { name, variables, expressions: [...new Set(expressionsIn(content))] };
}

/** Wherever they are: in panels, in rows of panels (older Grafana), in annotations. */
function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' && typeof inner === 'string' ? nonEmpty(inner) : expressionsIn(inner),
  );
}

function nonEmpty(expression: string): string[] {
  return expression.trim() === '' ? [] : [expression];
}

function parseExpressionList(file: string, text: string): Dashboard[] {
  const byDashboard = new Map<string, Set<string>>();
  for (const line of text.split('\n')) {
    const [name, expression] = line.split('\t');
    if (name === undefined || expression === undefined) continue;
    const expressions = byDashboard.get(name) ?? new Set();
    byDashboard.set(name, expressions.add(anyValue(expression)));
  }
  return [...byDashboard].map(([name, expressions]) => ({
    name: `${file}: ${name}`,
    variables: [],
    expressions: [...expressions],
  }));
}

/** The list does not say what a variable stood for: any value will do. */
function anyValue(expression: string): string {
  return expression.replace(/=~?"VAR"/g, '=~".+"');
}
