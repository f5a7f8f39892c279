/** A board as Grafana's dashboard. */
import {
  type AnnotationQuery,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Board, Marks, Row } from '../board.ts';
import { sizesOf } from './layout.ts';
import { grafanaPanel } from './panel.ts';
import { dataSource } from './query.ts';
import { dataSourceVariable, grafanaVariable } from './variable.ts';

/** All boards carry it, and link to all that do. */
const TAG = 'plimsoll';

export function grafanaDashboard(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([TAG])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(linksToOthers())
    .withVariable(dataSourceVariable());
  for (const variable of board.variables) builder.withVariable(grafanaVariable(variable));
  const nextId = counter();
  for (const row of board.rows) addRow(builder, row, nextId);
  return { ...builder.build(), annotations: { list: board.marks.map(grafanaAnnotation) } };
}

function linksToOthers(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Plimsoll')
    .type(DashboardLinkType.Dashboards)
    .tags([TAG])
    .asDropdown(true)
    .includeVars(true)
    .keepTime(true);
}

/** A folded row holds its panels; those of an open one follow it. */
function addRow(builder: DashboardBuilder, row: Row, nextId: () => number): void {
  const rowBuilder = new RowBuilder(row.title).id(nextId()).collapsed(row.collapsed);
  const sizes = sizesOf(row.panels);
  const panels = row.panels.map((panel, index) => {
    const { width = 0, height = 0 } = sizes[index] ?? {};
    return grafanaPanel(panel).id(nextId()).span(width).height(height);
  });
  if (row.collapsed) for (const panel of panels) rowBuilder.withPanel(panel);
  builder.withRow(rowBuilder);
  if (!row.collapsed) for (const panel of panels) builder.withPanel(panel);
}

function counter(): () => number {
  let last = 0;
  return () => {
    last += 1;
    return last;
  };
}

function grafanaAnnotation({ name, expr, text, color }: Marks): AnnotationQuery {
  return {
    name,
    datasource: dataSource,
    enable: true,
    iconColor: color,
    expr,
    step: '60s',
    titleFormat: text,
    useValueForTime: true,
  };
}
