/** Choices at the head of a dashboard. */
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Variable } from '../board.ts';
import { dataSource } from './query.ts';

export function dataSourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

/** Asked again when the time range changes: services come and go. */
export function grafanaVariable({ name, title, selector, label, all }: Variable): QueryVariableBuilder {
  const builder = new QueryVariableBuilder(name)
    .label(title)
    .datasource(dataSource)
    .query({ query: `label_values(${selector}, ${label})`, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);
  if (all === undefined) return builder;
  return builder
    .multi(true)
    .includeAll(true)
    .allValue(all)
    .current({ text: ['All'], value: ['$__all'] });
}
