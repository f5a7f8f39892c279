/** What Grafana's own schema (test/fixtures/grafana-schema) has to say of a dashboard: whatever a real Grafana would not understand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../runtime/version.ts';

type Json = z.core.util.JSONType;

const folder = join(packageRoot(), 'test', 'fixtures', 'grafana-schema');

/** As much as is needed to find what each kind of panel has a schema of its own for. */
const RawPanel = z.object({
  title: z.string(),
  type: z.string(),
  options: z.unknown().optional(),
  fieldConfig: z.object({ defaults: z.object({ custom: z.unknown().optional() }) }).optional(),
  targets: z.array(z.unknown()).default([]),
});
type RawPanel = z.infer<typeof RawPanel>;
const RawDashboard = z.object({
  panels: z.array(RawPanel.extend({ panels: z.array(RawPanel).default([]) })),
});

export class GrafanaSchema {
  private readonly parts = new Map<string, z.ZodType>();

  /** Complaints, each with the place it is about; none for a dashboard that is well. */
  complaints(dashboard: unknown): string[] {
    const ofWhole = this.check('dashboard', 'Dashboard', dashboard, 'dashboard');
    if (ofWhole.length > 0) return ofWhole;
    const { panels } = RawDashboard.parse(dashboard);
    return panels
      .flatMap((panel) => (panel.type === 'row' ? panel.panels : [panel]))
      .flatMap((panel) => this.panelComplaints(panel));
  }

  private panelComplaints({ title, type, options, fieldConfig, targets }: RawPanel): string[] {
    const kind = type.replaceAll('-', '');
    const custom = fieldConfig?.defaults.custom;
    return [
      ...(options === undefined ? [] : this.check(kind, 'Options', options, `${title}: options`)),
      ...(custom === undefined ? [] : this.check(kind, 'FieldConfig', custom, `${title}: fieldConfig`)),
      ...targets.flatMap((target, index) => this.check('prometheus', 'Dataquery', target, `${title}: target ${index}`)),
    ];
  }

  private check(file: string, definition: string, value: unknown, where: string): string[] {
    const { error } = this.part(file, definition).safeParse(value);
    return error ? [`${where}: ${z.prettifyError(error)}`] : [];
  }

  private part(file: string, definition: string): z.ZodType {
    const key = `${file} ${definition}`;
    const part = this.parts.get(key) ?? readPart(file, definition);
    this.parts.set(key, part);
    return part;
  }
}

function readPart(file: string, definition: string): z.ZodType {
  const schema = z.record(z.string(), z.json()).parse(JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')));
  const meant = Object.entries(schema).map(([key, value]) => [key, withAnything(value)] as const);
  return z.fromJSONSchema({ ...Object.fromEntries(meant), $ref: `#/definitions/${definition}` });
}

/** What may be anything has become an object of anything on its way here from Grafana's CUE. */
function withAnything(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withAnything);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema['type'] === 'object' && JSON.stringify(schema['additionalProperties']) === '{}') return {};
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withAnything(value)]));
}
