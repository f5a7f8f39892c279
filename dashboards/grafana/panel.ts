/** Panels of a board as Grafana's. */
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as GaugeBuilder } from '@grafana/grafana-foundation-sdk/gauge';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatesBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { GaugePanel, GraphPanel, Panel, State, StatesPanel, StatPanel, TablePanel, Thresholds } from '../board.ts';
import { type DataLink, linksOfColumn, linksOfSeries } from './links.ts';
import { dataSource, rangeQueries, refId, tableQueries } from './query.ts';

export type GrafanaPanelBuilder = GraphBuilder | StatBuilder | GaugeBuilder | StatesBuilder | TableBuilder;

export function grafanaPanel(panel: Panel): GrafanaPanelBuilder {
  const builder = builderOf(panel);
  return builder.title(panel.title).description(panel.description).datasource(dataSource);
}

function builderOf(panel: Panel): GrafanaPanelBuilder {
  switch (panel.kind) {
    case 'graph':
      return graphOf(panel);
    case 'stat':
      return statOf(panel);
    case 'gauge':
      return gaugeOf(panel);
    case 'states':
      return statesOf(panel);
    case 'table':
      return tableOf(panel);
  }
}

function graphOf({ unit, queries, thresholds, stacked, steps, min, max }: GraphPanel): GraphBuilder {
  const builder = new GraphBuilder()
    .targets(rangeQueries(queries))
    .unit(unit)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(steps ? LineInterpolation.StepAfter : LineInterpolation.Linear)
    .fillOpacity(stacked ? 40 : 10)
    .showPoints(VisibilityMode.Never)
    .legend(bottomLegend())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .dataLinks(linksOfSeries(queries.map(({ legend }) => legend)).map(grafanaLink));
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  if (!thresholds) return builder;
  const dashed = new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed);
  return builder.thresholds(grafanaThresholds(thresholds)).thresholdsStyle(dashed);
}

function grafanaLink({ title, url }: DataLink): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).url(url);
}

function bottomLegend(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true);
}

function statOf({ unit, queries, thresholds, showsName }: StatPanel): StatBuilder {
  return new StatBuilder()
    .targets(rangeQueries(queries))
    .unit(unit)
    .thresholds(grafanaThresholds(thresholds))
    .colorScheme(byThresholds())
    .colorMode(BigValueColorMode.Value)
    .graphMode(showsName ? BigValueGraphMode.None : BigValueGraphMode.Area)
    .textMode(showsName ? BigValueTextMode.Name : BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

function gaugeOf({ unit, queries, thresholds, max }: GaugePanel): GaugeBuilder {
  return new GaugeBuilder()
    .targets(rangeQueries(queries))
    .unit(unit)
    .min(0)
    .max(max)
    .thresholds(grafanaThresholds(thresholds))
    .colorScheme(byThresholds())
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

function statesOf({ queries, states }: StatesPanel): StatesBuilder {
  return new StatesBuilder()
    .targets(rangeQueries(queries))
    .unit('none')
    .mappings([wordsOf(states)])
    .colorScheme(byThresholds())
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .legend(bottomLegend())
    .dataLinks(linksOfSeries(queries.map(({ legend }) => legend)).map(grafanaLink));
}

function wordsOf(states: readonly State[]): ValueMap {
  const results = states.map(({ value, word, color }, index) => [String(value), { text: word, color, index }] as const);
  return { type: MappingType.ValueToText, options: Object.fromEntries(results) };
}

/** The expressions' tables put side by side by the labels they share; each value gets its column's title and unit. */
function tableOf({ by, columns }: TablePanel): TableBuilder {
  const valueOf = (index: number) => (columns.length === 1 ? 'Value' : `Value #${refId(index)}`);
  const titles = [
    ...by.map((label) => [label, titleOf(label)] as const),
    ...columns.map(({ title }, index) => [valueOf(index), title] as const),
  ];
  const order = titles.map(([field]) => field).map((field, index) => [field, index] as const);
  const builder = new TableBuilder()
    .targets(tableQueries(columns.map(({ expr }) => expr)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(order),
        renameByName: Object.fromEntries(titles),
      },
    });
  for (const label of by) {
    const links = linksOfColumn(label);
    if (links.length > 0) builder.overrideByName(titleOf(label), [{ id: 'links', value: links }]);
  }
  for (const { title, unit, thresholds } of columns) {
    const coloured = thresholds && [
      { id: 'thresholds', value: grafanaThresholds(thresholds).build() },
      { id: 'color', value: { mode: FieldColorModeId.Thresholds } },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ];
    builder.overrideByName(title, [{ id: 'unit', value: unit }, ...(coloured ?? [])]);
  }
  return builder;
}

/** `engine_version` -> `Engine version`. */
function titleOf(label: string): string {
  const words = label.replaceAll('_', ' ');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

function grafanaThresholds({ base, steps }: Thresholds): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(({ from, color }) => ({ value: from, color }))]);
}

function byThresholds(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}
