/**
 * What makes a dashboard of use to others: the rules of Grafana's dashboard-linter that apply, and some of our own. Each
 * answers what is wrong, nothing when all is well. Pure.
 */
import { type Dashboard, expressionsOf, type Panel, panelsOf } from './dashboard-model.ts';
import { labelsLeft, selectorUses, syntaxErrors, withoutVariables } from './promql-tree.ts';

export type Rule = (dashboard: Dashboard) => string[];

/** How counters are told from gauges. */
export type IsCounter = (metric: string) => boolean;

const dataSourceUid = '${datasource}';
const GRID_COLUMNS = 24;
/** And `count`, which tells how many series there are. */
const COUNTER_FUNCTIONS = ['rate', 'irate', 'increase', 'delta', 'resets', 'changes', 'count'];
/** Units of Grafana's list that we use, and its way to write others. */
const units = /^(short|none|percentunit|bytes|Bps|s|ops|iops|pps|hertz|dateTimeFromNow|bool_yes_no|suffix: ?\S+)$/;
/** The variable itself has nothing to be narrowed by. */
const isWhatJobsAreFoundBy = (expr: string) => expr === 'plimsoll_build_info';
/** Made by Prometheus, of no job. */
const ofPrometheus = /^(ALERTS)$/;

export const rules: Readonly<Record<string, Rule>> = {
  'template-datasource': ({ templating }) => {
    const found = templating.list.find(({ name }) => name === 'datasource');
    return found?.type === 'datasource' && found.query === 'prometheus' ? [] : ['no variable datasource of Prometheus'];
  },
  'template-job': ({ templating }) => {
    const found = templating.list.find(({ name }) => name === 'job');
    return found?.multi && found.allValue === '.+' ? [] : ['no variable job with several values and all'];
  },
  'template-on-time-change-reload': ({ templating }) =>
    templating.list.filter(({ type, refresh }) => type === 'query' && refresh !== 2).map(({ name }) => name),
  'template-label-promql': ({ templating }) =>
    templating.list
      .filter(({ type, query }) => type === 'query' && !/^label_values\(.+, \w+\)$/.test(query))
      .map(({ name }) => name),
  'template-label': ({ templating }) => templating.list.filter(({ label }) => label === '').map(({ name }) => name),
  'template-chained': ({ templating }) => {
    const queries = templating.list.filter(({ type }) => type === 'query');
    return queries
      .slice(1)
      .filter(({ query }) => !query.includes('$'))
      .map(({ name }) => name);
  },
  'template-used': (dashboard) => {
    const used = [...expressionsOf(dashboard), ...dashboard.templating.list.map(({ query }) => query)].join('\n');
    return dashboard.templating.list
      .filter(({ name }) => name !== 'datasource' && !new RegExp(`\\$${name}\\b`).test(used))
      .map(({ name }) => name);
  },
  'panel-datasource': perPanel(({ datasource }) => datasource.uid === dataSourceUid),
  'panel-title-description': perPanel(({ title, description }) => title !== '' && /^\S.{10,}[^\s]$/s.test(description)),
  'panel-units': perPanel((panel) => unitsOf(panel).length > 0 && unitsOf(panel).every((unit) => units.test(unit))),
  'panel-no-targets': perPanel(({ targets }) => targets.length > 0),
  'panel-thresholds': perPanel(({ type, fieldConfig }) => {
    return !['stat', 'gauge'].includes(type) || fieldConfig.defaults.thresholds?.steps[0]?.value === null;
  }),
  'panel-title-once': (dashboard) => doubles(dashboard.panels.flatMap((panel) => titlesOf(panel))),
  'panel-id-once': (dashboard) =>
    doubles(
      [...dashboard.panels, ...dashboard.panels.flatMap((panel) => (panel.type === 'row' ? panel.panels : []))].map(
        ({ id }) => String(id),
      ),
    ),
  'panel-on-grid': (dashboard) => {
    const positions = panelsOf(dashboard).map(({ title, gridPos }) => ({ title, ...gridPos }));
    return positions.filter(({ x, w, h }) => w < 1 || h < 1 || x + w > GRID_COLUMNS).map(({ title }) => title);
  },
  'panel-no-overlap': (dashboard) => {
    const open = dashboard.panels.filter(({ type }) => type !== 'row');
    return open.flatMap((one, index) =>
      open
        .slice(index + 1)
        .filter((other) => overlaps(one.gridPos, other.gridPos))
        .map(({ title }) => `${one.title} and ${title}`),
    );
  },
  'target-promql': perExpression((expr) => syntaxErrors(expr).length === 0),
  'target-rate-interval': perExpression((expr) =>
    rawUses(expr).every(({ within, range }) => !/^i?rate$/.test(within[0] ?? '') || range === '$__rate_interval'),
  ),
  'target-job': perExpression(
    (expr) =>
      isWhatJobsAreFoundBy(expr) ||
      rawUses(expr).every(({ metric, matchers }) => ofPrometheus.test(metric) || /\bjob=~?"\$\w+"/.test(matchers)),
  ),
  'target-legend': perPanelSays(({ type, targets }) =>
    type === 'table' ? [] : targets.filter(({ legendFormat }) => legendFormat.trim() === '').map(({ expr }) => expr),
  ),
  'target-legend-labels': perPanelSays(({ type, targets }) => {
    if (type === 'table') return [];
    return targets.flatMap(({ expr, legendFormat }) => {
      const left = labelsLeft(withoutVariables(expr));
      const wanted = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      return left
        ? wanted.filter((label) => !left.has(label)).map((label) => `${legendFormat}: no ${label} is left`)
        : [];
    });
  }),
  'target-legend-tells-apart': perPanelSays(({ type, targets }) => {
    if (type === 'table') return [];
    return targets.flatMap(({ expr, legendFormat }) =>
      [...(labelsLeft(withoutVariables(expr)) ?? [])]
        .filter((label) => !legendFormat.includes(`{{${label}}}`) && !isOneAnyway(label, expr))
        .map((label) => `${legendFormat}: does not say ${label}`),
    );
  }),
  'uneditable-dashboard': ({ editable }) => (editable ? ['editable'] : []),
  'dashboard-links': ({ links, tags }) => {
    const [link] = links;
    return link?.type === 'dashboards' &&
      link.includeVars &&
      link.keepTime &&
      link.tags.every((tag) => tags.includes(tag))
      ? []
      : ['no links to the others'];
  },
  'dashboard-uid': ({ uid }) => (/^[a-z-]{8,40}$/.test(uid) ? [] : [uid]),
  'no-inputs': (dashboard) =>
    JSON.stringify(dashboard).includes('DS_PROMETHEUS') ? ['provisioned files know no inputs'] : [],
};

/** Counters are only of use as a rate. */
export function countersTakenRaw(dashboard: Dashboard, isCounter: IsCounter): string[] {
  return expressionsOf(dashboard).flatMap((expr) =>
    selectorUses(withoutVariables(expr))
      .filter(({ metric, within }) => isCounter(metric) && !within.some((name) => COUNTER_FUNCTIONS.includes(name)))
      .map(({ metric }) => `${metric} in ${expr}`),
  );
}

/** A graph or a dial shows instances of its choice only when the dashboard lets one choose. */
export function instanceNotAsked(dashboard: Dashboard, isOfAgent: (metric: string) => boolean): string[] {
  if (!dashboard.templating.list.some(({ name }) => name === 'instance')) return [];
  return panelsOf(dashboard).flatMap(({ title, targets }) =>
    targets
      .filter(({ expr }) =>
        rawUses(expr).some(({ metric, matchers }) => isOfAgent(metric) && !matchers.includes('instance=~"$instance"')),
      )
      .map(({ expr }) => `${title}: ${expr}`),
  );
}

/** A service has one stack, and what a matcher fixes has one value. */
function isOneAnyway(label: string, expr: string): boolean {
  return label === 'stack' || expr.includes(`${label}="`);
}

function perPanel(isWell: (panel: Panel) => boolean): Rule {
  return (dashboard) =>
    panelsOf(dashboard)
      .filter((panel) => !isWell(panel))
      .map(({ title }) => title);
}

function perPanelSays(complaints: (panel: Panel) => string[]): Rule {
  return (dashboard) =>
    panelsOf(dashboard).flatMap((panel) => complaints(panel).map((complaint) => `${panel.title}: ${complaint}`));
}

function perExpression(isWell: (expr: string) => boolean): Rule {
  return (dashboard) => expressionsOf(dashboard).filter((expr) => !isWell(withDurations(expr)));
}

/** Readable to the parser, with `$__rate_interval` and the variables in strings still as they are. */
function rawUses(expr: string) {
  return selectorUses(withDurations(expr)).map((use) => ({
    ...use,
    range: use.range === RATE_INTERVAL_STAND_IN ? '$__rate_interval' : use.range,
  }));
}

const RATE_INTERVAL_STAND_IN = '61s';

function withDurations(expr: string): string {
  return expr.replaceAll('$__rate_interval', RATE_INTERVAL_STAND_IN).replaceAll('$__range', '1h');
}

function unitsOf({ type, fieldConfig }: Panel): string[] {
  if (type !== 'table') return fieldConfig.defaults.unit === undefined ? [] : [fieldConfig.defaults.unit];
  return fieldConfig.overrides.flatMap(({ properties }) =>
    properties.filter(({ id }) => id === 'unit').map(({ value }) => String(value)),
  );
}

function titlesOf(panel: Dashboard['panels'][number]): string[] {
  return panel.type === 'row' ? panel.panels.map(({ title }) => `${panel.title} / ${title}`) : [];
}

function doubles(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

function overlaps(one: Panel['gridPos'], other: Panel['gridPos']): boolean {
  const apartX = one.x + one.w <= other.x || other.x + other.w <= one.x;
  const apartY = one.y + one.h <= other.y || other.y + other.h <= one.y;
  return !apartX && !apartY;
}
