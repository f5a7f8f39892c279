import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';
import { committedDashboards, type Dashboard, panelsOf } from '../../dashboards/dashboard-model.ts';
import { countersTakenRaw, instanceNotAsked, rules } from '../../dashboards/lint-rules.ts';
import { familyOf } from '../../dashboards/metric-use.ts';
import { documentedFamilies } from '../../support/metrics-document.ts';

const documented = documentedFamilies(readFileSync(join(packageRoot(), 'docs', 'metrics.md'), 'utf8'));
const dashboards = committedDashboards();
const isCounter = (metric: string) =>
  familyOf(metric, documented)?.type === 'counter' || /_(bucket|count|sum)$/.test(metric);
const isOfHost = (metric: string) => /^(node|container|machine)_/.test(metric);

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_, dashboard) => {
  it.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(dashboard)).toEqual([]);
  });

  it('target-counter-agg', () => {
    expect(countersTakenRaw(dashboard, isCounter)).toEqual([]);
  });

  it('target-instance', () => {
    expect(instanceNotAsked(dashboard, isOfHost)).toEqual([]);
  });
});

it('has each address and title once', () => {
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length);
  expect(new Set(dashboards.map(({ title }) => title)).size).toBe(dashboards.length);
});

describe('a rule finds', () => {
  const [whole] = dashboards as [Dashboard];
  const withTarget = (expr: string, legendFormat = 'x'): Dashboard => {
    const broken = structuredClone(whole);
    const panel = panelsOf(broken).find(({ type }) => type === 'timeseries');
    panel?.targets.splice(0, panel.targets.length, { refId: 'A', expr, legendFormat, format: 'time_series' });
    return broken;
  };

  it.each([
    ['target-promql', withTarget('sum(rate(x{job=~"$job"}[5m])')],
    ['target-rate-interval', withTarget('rate(x{job=~"$job"}[5m])')],
    ['target-job', withTarget('x{instance="h1"}')],
    ['target-legend', withTarget('x{job=~"$job"}', '')],
    ['target-legend-labels', withTarget('sum by (node) (x{job=~"$job"})', '{{service}}')],
    ['target-legend-tells-apart', withTarget('sum by (node, service) (x{job=~"$job"})', '{{service}}')],
    ['uneditable-dashboard', { ...whole, editable: true }],
    ['dashboard-links', { ...whole, links: [] }],
    ['template-datasource', { ...whole, templating: { list: [] } }],
    ['template-job', { ...whole, templating: { list: [] } }],
    [
      'panel-no-overlap',
      { ...whole, panels: whole.panels.map((panel) => ({ ...panel, gridPos: { x: 0, y: 0, w: 2, h: 2 } })) },
    ],
    [
      'panel-on-grid',
      { ...whole, panels: whole.panels.map((panel) => ({ ...panel, gridPos: { x: 20, y: 0, w: 5, h: 2 } })) },
    ],
    ['panel-id-once', { ...whole, panels: whole.panels.map((panel) => ({ ...panel, id: 1 })) }],
  ])('%s', (name, broken) => {
    expect(rules[name]?.(broken)).not.toEqual([]);
  });

  it('target-counter-agg', () => {
    expect(countersTakenRaw(withTarget('sum(a_total)'), (metric) => metric === 'a_total')).toHaveLength(1);
    expect(countersTakenRaw(withTarget('sum(rate(a_total[5m]))'), (metric) => metric === 'a_total')).toEqual([]);
  });
});
