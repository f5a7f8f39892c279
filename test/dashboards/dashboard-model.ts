/** The committed dashboards as Grafana will read them: parts that the rules look at. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { dashboardsDirectory } from '../../dashboards/dashboard-files.ts';

const DataSource = z.object({ type: z.string(), uid: z.string() });
const Target = z.object({
  refId: z.string(),
  expr: z.string(),
  legendFormat: z.string().default(''),
  format: z.string().default('time_series'),
});
const Step = z.object({ value: z.number().nullable(), color: z.string() });
const Property = z.object({ id: z.string(), value: z.unknown() });
const Override = z.object({
  matcher: z.object({ id: z.string(), options: z.unknown() }),
  properties: z.array(Property),
});
/** Words for numbers, by the number. */
const Mapping = z.object({
  type: z.literal('value'),
  options: z.record(z.string(), z.object({ text: z.string(), color: z.string() })),
});
const GridPosition = z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() });
const Panel = z.object({
  id: z.int(),
  type: z.enum(['timeseries', 'stat', 'gauge', 'state-timeline', 'table']),
  title: z.string(),
  description: z.string(),
  datasource: DataSource,
  gridPos: GridPosition,
  targets: z.array(Target),
  fieldConfig: z.object({
    defaults: z.object({
      unit: z.string().optional(),
      min: z.number().optional(),
      max: z.number().optional(),
      thresholds: z.object({ steps: z.array(Step) }).optional(),
      mappings: z.array(Mapping).default([]),
      custom: z.record(z.string(), z.unknown()).optional(),
    }),
    overrides: z.array(Override).default([]),
  }),
  options: z.record(z.string(), z.unknown()).default({}),
  transformations: z.array(z.object({ id: z.string(), options: z.record(z.string(), z.unknown()) })).default([]),
});
export type Panel = z.infer<typeof Panel>;

const Row = z.object({
  id: z.int(),
  type: z.literal('row'),
  title: z.string(),
  collapsed: z.boolean(),
  gridPos: GridPosition,
  panels: z.array(Panel),
});

export type Row = z.infer<typeof Row>;

const Variable = z.object({
  name: z.string(),
  label: z.string(),
  type: z.string(),
  query: z.union([z.string(), z.object({ query: z.string() }).transform(({ query }) => query)]),
  datasource: DataSource.optional(),
  refresh: z.int().optional(),
  multi: z.boolean().optional(),
  allValue: z.string().optional(),
});

const Annotation = z.object({ name: z.string(), expr: z.string(), datasource: DataSource, titleFormat: z.string() });
const Link = z.object({ type: z.string(), tags: z.array(z.string()), includeVars: z.boolean(), keepTime: z.boolean() });

const Dashboard = z.object({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  editable: z.boolean(),
  schemaVersion: z.int(),
  refresh: z.string(),
  panels: z.array(z.union([Row, Panel])),
  templating: z.object({ list: z.array(Variable) }),
  annotations: z.object({ list: z.array(Annotation) }),
  links: z.array(Link),
});
export type Dashboard = z.infer<typeof Dashboard>;

/** Every committed file. */
export function committedDashboards(): Dashboard[] {
  const names = readdirSync(dashboardsDirectory).toSorted();
  return names.map((name) => Dashboard.parse(JSON.parse(readFileSync(join(dashboardsDirectory, name), 'utf8'))));
}

/** Those of folded rows too. */
export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]));
}

/** Whatever a dashboard asks of Prometheus: panels, annotations, and the series its variables are values of. */
export function expressionsOf(dashboard: Dashboard): string[] {
  const variables = dashboard.templating.list.flatMap(({ query }) => {
    const [, selector] = /^label_values\((.*),[^,]*\)$/s.exec(query) ?? [];
    return selector === undefined ? [] : [selector];
  });
  const targets = panelsOf(dashboard).flatMap((panel) => panel.targets.map(({ expr }) => expr));
  return [...targets, ...dashboard.annotations.list.map(({ expr }) => expr), ...variables];
}
