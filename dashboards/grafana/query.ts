/** Expressions as targets of panels. */
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Query } from '../board.ts';

/** Chosen at the head of the dashboard: files that are provisioned cannot name one by an input. */
export const dataSource = { type: 'prometheus', uid: '${datasource}' };

/** Over the time the page shows. */
export function rangeQueries(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, index) => target(expr, index).range().legendFormat(legend));
}

/** Now, a row for each series. */
export function tableQueries(expressions: readonly string[]): DataqueryBuilder[] {
  return expressions.map((expr, index) => target(expr, index).instant().format(PromQueryFormat.Table));
}

const FIRST_REF_ID = 65;

/** Grafana names targets A, B, C. */
export function refId(index: number): string {
  return String.fromCodePoint(FIRST_REF_ID + index);
}

function target(expr: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId(index)).expr(expr);
}
