/** A dashboard as a page that a browser can draw without Grafana: lines by uPlot, the rest as plain HTML. Pure. */
import type { Dashboard, Panel, Row } from '../dashboard-model.ts';
import { formatValue } from './format-value.ts';
import type { Line, TableResult } from './panel-results.ts';

export type PanelContent =
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  | { readonly kind: 'table'; readonly table: TableResult };

export interface UPlotFiles {
  readonly script: string;
  readonly style: string;
}

const COLUMN_PX = 62;
const ROW_PX = 38;
const LEGEND_PX = 90;
const palette = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#5794f2',
  '#b877d9',
  '#705da0',
  '#37872d',
  '#fade2a',
];

/** Grafana's own shades. */
const shades: Readonly<Record<string, string>> = {
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
  blue: '#5794f2',
  purple: '#b877d9',
};

export function pageOf(dashboard: Dashboard, contents: ReadonlyMap<number, PanelContent>, files: UPlotFiles): string {
  const panels = openPanels(dashboard).map(({ panel, top }) => panelHtml(panel, contents.get(panel.id), top));
  const rows = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? [rowHtml(panel)] : []));
  const height = Math.max(...openPanels(dashboard).map(({ panel, top }) => top + panel.gridPos.h)) * ROW_PX;
  return `<!doctype html><meta charset="utf-8"><title>${escape(dashboard.title)}</title>
<style>${files.style}${style}</style><h1>${escape(dashboard.title)}</h1>
<main style="height:${height}px">${[...rows, ...panels].join('\n')}</main>
<script>${files.script}</script><script>const formatValue = ${formatValue.toString()};${drawing}</script>`;
}

/** Panels from top to bottom, those of folded rows as if someone had opened them. */
function openPanels({ panels }: Dashboard): { panel: Panel; top: number }[] {
  return panels.flatMap((panel) => {
    if (panel.type !== 'row') return [{ panel, top: panel.gridPos.y }];
    return panel.panels.map((inner) => ({ panel: inner, top: inner.gridPos.y }));
  });
}

function rowHtml({ title, gridPos }: Row): string {
  return `<h3 style="top:${gridPos.y * ROW_PX}px">${escape(title)}</h3>`;
}

function panelHtml(panel: Panel, content: PanelContent | undefined, top: number): string {
  const { x, w, h } = panel.gridPos;
  const box = `left:${x * COLUMN_PX}px;top:${top * ROW_PX}px;width:${w * COLUMN_PX - 8}px;height:${h * ROW_PX - 8}px`;
  const body = content ? bodyHtml(panel, content) : '';
  return `<section style="${box}"><h2 title="${escape(panel.description)}">${escape(panel.title)}</h2>${body}</section>`;
}

function bodyHtml(panel: Panel, content: PanelContent): string {
  if (content.kind === 'table') return tableHtml(panel, content.table);
  if (content.lines.length === 0) return '<p class="empty">No data</p>';
  if (panel.type === 'timeseries') return graphHtml(panel, content.lines);
  return panel.type === 'state-timeline' ? statesHtml(panel, content.lines) : statHtml(panel, content.lines);
}

/** A band per series: each sample as wide as it is long, equal ones that follow each other as one with its word. */
function statesHtml({ fieldConfig }: Panel, lines: readonly Line[]): string {
  const words = fieldConfig.defaults.mappings[0]?.options ?? {};
  const times = [...new Set(lines.flatMap(({ values }) => [...values.keys()]))].toSorted((a, b) => a - b);
  return lines
    .map(({ name, values }) => {
      const pieces = runsOf(times.map((time) => values.get(time))).map(({ value, length }) => {
        const { text = '', color = 'transparent' } = words[String(value)] ?? {};
        return `<b style="flex:${length};background:${shades[color] ?? color}">${escape(text)}</b>`;
      });
      return `<div class="band"><span>${escape(name)}</span>${pieces.join('')}</div>`;
    })
    .join('');
}

function runsOf(values: readonly (number | undefined)[]): { value: number | undefined; length: number }[] {
  const runs: { value: number | undefined; length: number }[] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last !== undefined && last.value === value) last.length += 1;
    else runs.push({ value, length: 1 });
  }
  return runs;
}

function graphHtml({ gridPos, fieldConfig }: Panel, lines: readonly Line[]): string {
  const times = [...new Set(lines.flatMap(({ values }) => [...values.keys()]))].toSorted((a, b) => a - b);
  const { unit = 'short', min, max, custom = {} } = fieldConfig.defaults;
  const shown = lines.slice(0, 20);
  const chart = {
    width: gridPos.w * COLUMN_PX - 24,
    height: gridPos.h * ROW_PX - LEGEND_PX - 8,
    unit,
    min: min ?? null,
    max: max ?? null,
    isStepped: custom['lineInterpolation'] === 'stepAfter',
    names: shown.map(({ name }) => name),
    colors: shown.map((_, index) => palette[index % palette.length]),
    data: [times, ...shown.map(({ values }) => times.map((time) => values.get(time) ?? null))],
  };
  const legend = chart.names.map((name, index) => `<li style="color:${chart.colors[index]}">${escape(name)}</li>`);
  const more = lines.length > shown.length ? `<li>and ${lines.length - shown.length} more</li>` : '';
  return `<div class="chart" data-chart="${escape(JSON.stringify(chart))}"></div><ul>${legend.join('')}${more}</ul>`;
}

function statHtml({ type, fieldConfig, options }: Panel, lines: readonly Line[]): string {
  const { unit = 'short', max = 1, thresholds } = fieldConfig.defaults;
  const isName = options['textMode'] === 'name';
  return lines
    .slice(0, 3)
    .map(({ name, values }) => {
      const last = [...values.values()].at(-1) ?? Number.NaN;
      const color = colorOf(last, thresholds?.steps ?? []);
      const share = Math.min(100, Math.max(0, (last / max) * 100));
      const bar = type === 'gauge' ? `<i style="width:${share}%;background:${color}"></i>` : '';
      return `<p class="stat" style="color:${color}">${escape(isName ? name : formatValue(unit, last))}</p>${bar}`;
    })
    .join('');
}

function colorOf(value: number, steps: readonly { readonly value: number | null; readonly color: string }[]): string {
  const color = steps.findLast((step) => step.value === null || value >= step.value)?.color ?? 'white';
  return shades[color] ?? color;
}

function tableHtml({ fieldConfig }: Panel, { columns, rows }: TableResult): string {
  if (rows.length === 0) return '<p class="empty">No data</p>';
  const unitOf = (column: string) => {
    const override = fieldConfig.overrides.find(({ matcher }) => matcher.options === column);
    const unit = override?.properties.find(({ id }) => id === 'unit')?.value;
    return typeof unit === 'string' ? unit : 'none';
  };
  const cell = (value: string | number | undefined, column = '') =>
    `<td>${escape(typeof value === 'number' ? formatValue(unitOf(column), value) : (value ?? ''))}</td>`;
  const head = columns.map((column) => `<th>${escape(column)}</th>`).join('');
  const body = rows
    .map((row) => `<tr>${row.map((value, index) => cell(value, columns[index])).join('')}</tr>`)
    .join('');
  return `<table><tr>${head}</tr>${body}</table>`;
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

const style = `
body { background: #111217; color: #ccccdc; font: 13px "DejaVu Sans", sans-serif; margin: 12px; width: ${24 * COLUMN_PX}px }
h1 { font-size: 18px } h2 { font-size: 13px; margin: 0 0 6px }
main { position: relative } h3 { position: absolute; margin: 8px 0; font-size: 14px } section { position: absolute; background: #181b1f; border: 1px solid #2a2d33; padding: 6px; box-sizing: border-box; overflow: hidden }
.stat { font-size: 26px; margin: 4px; text-align: center } i { display: block; height: 14px } .empty { color: #777; text-align: center }
.band { display: flex; height: 24px; margin: 4px 0 } .band span { width: 160px } .band b { color: #111217; font-weight: normal; overflow: hidden; white-space: nowrap; padding-left: 2px }
ul { list-style: none; margin: 2px; padding: 0; max-height: ${LEGEND_PX - 40}px; overflow: hidden; font-size: 11px } li { display: inline; margin-right: 12px }
table { width: 100%; border-collapse: collapse; font-size: 12px } th, td { text-align: left; padding: 3px 6px; border-bottom: 1px solid #2a2d33 }`;

const drawing = `
for (const element of document.querySelectorAll('.chart')) {
  const chart = JSON.parse(element.dataset.chart);
  const paths = chart.isStepped ? uPlot.paths.stepped({ align: 1 }) : undefined;
  const grid = { stroke: '#2a2d33', width: 1 };
  const incrs = { bytes: Array.from({ length: 50 }, (_, power) => 2 ** power), s: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 36000] }[chart.unit];
  new uPlot({
    width: chart.width, height: chart.height, legend: { show: false },
    scales: { y: { range: (_, low, high) => [chart.min ?? low, chart.max ?? (high <= (chart.min ?? low) ? (chart.min ?? low) + 1 : high * 1.05)] } },
    series: [{}, ...chart.names.map((label, index) => ({ label, stroke: chart.colors[index], width: 1.5, points: { show: false }, paths }))],
    axes: [{ stroke: '#ccccdc', grid }, { stroke: '#ccccdc', grid, size: 92, ...(incrs && { incrs }), values: (_, ticks) => ticks.map((tick) => formatValue(chart.unit, tick)) }],
  }, chart.data, element);
}`;
