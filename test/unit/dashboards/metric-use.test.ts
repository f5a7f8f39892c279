import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../../runtime/version.ts';
import { committedDashboards, expressionsOf } from '../../dashboards/dashboard-model.ts';
import { expressionsOfRules, familyOf, metricsIn } from '../../dashboards/metric-use.ts';
import { seriesOfOthers } from '../../dashboards/series-of-others.ts';
import { shownNowhere } from '../../dashboards/shown-nowhere.ts';
import { documentedFamilies } from '../../support/metrics-document.ts';

const documented = documentedFamilies(readFileSync(join(packageRoot(), 'docs', 'metrics.md'), 'utf8'));
const rulesDirectory = join(packageRoot(), 'prometheus');
/** Examples speak of the metrics of a service of yours. */
const ruleFiles = readdirSync(rulesDirectory).filter((name) => /(?<!example)\.rules\.yml$/.test(name));
const ofDashboards = committedDashboards().flatMap(expressionsOf).flatMap(metricsIn);
const ofRules = ruleFiles
  .flatMap((name) => expressionsOfRules(parse(readFileSync(join(rulesDirectory, name), 'utf8'))))
  .flatMap(metricsIn)
  // Recorded by the rules themselves.
  .filter((metric) => !metric.includes(':'));
const used = [...new Set([...ofDashboards, ...ofRules])];
const isExcepted = (name: string) => shownNowhere.some(({ metrics }) => metrics.test(name));

it('every metric we serve is used by a dashboard or an alert, but for those on the reviewed list', () => {
  const usedFamilies = new Set(used.map((metric) => familyOf(metric, documented)?.name));
  const unused = documented.filter(({ name }) => !usedFamilies.has(name) && !isExcepted(name));
  expect(unused.map(({ name }) => name)).toEqual([]);
});

it('every metric dashboards and alerts use is one we serve, or is known to be of others', () => {
  const unknown = used.filter(
    (metric) => !familyOf(metric, documented) && !seriesOfOthers.some((pattern) => pattern.test(metric)),
  );
  expect(unknown).toEqual([]);
});

it('the reviewed list names nothing that is used or does not exist', () => {
  const idle = shownNowhere.filter(({ metrics }) => !documented.some(({ name }) => metrics.test(name)));
  expect(idle).toEqual([]);
  expect(used.filter(isExcepted)).toEqual([]);
});
