/** What a Prometheus answers to a dashboard's panels, named as Grafana names it. */
import { z } from 'zod';
import type { Dashboard as ReadDashboard } from '../../compat/dashboard.ts';
import { prometheusAt } from '../../compat/prometheus-client.ts';
import { substitute, variableValues } from '../../compat/variables.ts';
import type { Panel } from '../dashboard-model.ts';

type Labels = Readonly<Record<string, string>>;

export interface Line {
  readonly name: string;
  /** Unix seconds to values; a time it does not have is a gap. */
  readonly values: ReadonlyMap<number, number>;
}

export interface TableResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | undefined)[])[];
}

export interface TimeSpan {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
}

const Matrix = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
    ),
  }),
});

export class PanelResults {
  private readonly url: string;
  private readonly span: TimeSpan;
  private readonly values: ReadonlyMap<string, string>;

  private constructor(url: string, span: TimeSpan, values: ReadonlyMap<string, string>) {
    this.url = url;
    this.span = span;
    this.values = values;
  }

  /** `chosen`: values of variables, others are asked for. */
  static async of(
    dashboard: ReadDashboard,
    url: string,
    span: TimeSpan,
    chosen: Readonly<Record<string, string>>,
  ): Promise<PanelResults> {
    return new PanelResults(url, span, await variableValues(dashboard.variables, prometheusAt(url), chosen));
  }

  async lines({ targets }: Panel): Promise<Line[]> {
    const perTarget = targets.map(async ({ expr, legendFormat }) => {
      const series = await this.range(expr);
      return series.map(({ metric, values }) => ({ name: legendOf(legendFormat, metric), values: valuesOf(values) }));
    });
    return (await Promise.all(perTarget)).flat();
  }

  /** The targets' series joined by their labels, as the transformations of the panel say. */
  async table({ targets, transformations }: Panel): Promise<TableResult> {
    const rows = new Map<string, Map<string, string | number>>();
    for (const { expr, refId } of targets) {
      for (const { labels, value } of await prometheusAt(this.url).query(this.filled(expr))) {
        const key = JSON.stringify(Object.entries(labels).toSorted());
        const row = rows.get(key) ?? new Map<string, string | number>(Object.entries(labels));
        rows.set(key, row.set(targets.length === 1 ? 'Value' : `Value #${refId}`, value));
      }
    }
    const { indexByName = {}, renameByName = {} } = Organize.parse(
      transformations.find(({ id }) => id === 'organize')?.options ?? {},
    );
    const fields = Object.entries(indexByName)
      .toSorted(([, a], [, b]) => a - b)
      .map(([field]) => field);
    return {
      columns: fields.map((field) => renameByName[field] ?? field),
      rows: [...rows.values()].map((row) => fields.map((field) => row.get(field))),
    };
  }

  private async range(expr: string) {
    const { startSeconds, endSeconds, stepSeconds } = this.span;
    const asked = new URLSearchParams({
      query: this.filled(expr),
      start: String(startSeconds),
      end: String(endSeconds),
      step: String(stepSeconds),
    });
    const answer = await fetch(`${this.url}/api/v1/query_range?${asked.toString()}`);
    return Matrix.parse(await answer.json()).data.result;
  }

  private filled(expr: string): string {
    return substitute(expr, this.values);
  }
}

const Organize = z.object({
  indexByName: z.record(z.string(), z.number()).optional(),
  renameByName: z.record(z.string(), z.string()).optional(),
});

function legendOf(format: string, labels: Labels): string {
  return format.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}

function valuesOf(pairs: readonly (readonly [number, string])[]): Map<number, number> {
  return new Map(pairs.map(([seconds, value]) => [seconds, Number(value)]));
}
