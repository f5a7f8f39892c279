/**
 * `npm run dashboards:draw -- [UID...]`: draws the committed dashboards in headless Chromium with what a Prometheus answers,
 * a PNG each, to be looked at. Grafana itself is not needed. Wants Debian's package chromium.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { dashboardsDirectory } from '../../../dashboards/dashboard-files.ts';
import { parseDashboard, type Dashboard as ReadDashboard } from '../../compat/dashboard.ts';
import { committedDashboards, type Dashboard, panelsOf } from '../dashboard-model.ts';
import { type PanelContent, pageOf, type UPlotFiles } from './page.ts';
import { PanelResults, type TimeSpan } from './panel-results.ts';

const { values: options, positionals: wanted } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://127.0.0.1:9090' },
    out: { type: 'string', default: 'dashboard-pictures' },
    minutes: { type: 'string', default: '15' },
    service: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
  allowPositionals: true,
});

mkdirSync(options.out, { recursive: true });
const browser = await chromium.launch({ executablePath: options.chromium, args: ['--no-sandbox'] });
try {
  for (const dashboard of committedDashboards()) {
    if (wanted.length === 0 || wanted.includes(dashboard.uid)) await draw(dashboard);
  }
} finally {
  await browser.close();
}

async function draw(dashboard: Dashboard): Promise<void> {
  const html = pageOf(dashboard, await contentsOf(dashboard), uPlotFiles());
  const page = await browser.newPage({ viewport: { width: 1530, height: 900 } });
  page.on('pageerror', (error) => process.stderr.write(`${dashboard.uid}: ${error.message}\n`));
  await page.setContent(html, { waitUntil: 'load' });
  const path = join(options.out, `${dashboard.uid}.png`);
  writeFileSync(path, await page.screenshot({ fullPage: true }));
  await page.close();
  process.stdout.write(`${path}\n`);
}

async function contentsOf(dashboard: Dashboard): Promise<Map<number, PanelContent>> {
  const file = readFileSync(join(dashboardsDirectory, `${dashboard.uid}.json`), 'utf8');
  const variables = parseDashboard(dashboard.uid, JSON.parse(file));
  const results = await PanelResults.of(
    variables,
    options.prometheus,
    lastMinutes(Number(options.minutes)),
    chosenOf(variables),
  );
  const contents = new Map<number, PanelContent>();
  for (const panel of panelsOf(dashboard)) {
    const content: PanelContent =
      panel.type === 'table'
        ? { kind: 'table', table: await results.table(panel) }
        : { kind: 'lines', lines: await results.lines(panel) };
    contents.set(panel.id, content);
  }
  return contents;
}

/** The service named on the command line where a dashboard shows one at a time. */
function chosenOf({ variables }: ReadDashboard): Record<string, string> {
  const isAsked = options.service !== undefined && variables.some(({ name, isMany }) => name === 'service' && !isMany);
  return isAsked ? { service: options.service ?? '' } : {};
}

function lastMinutes(minutes: number): TimeSpan {
  const endSeconds = Math.floor(Date.now() / 1000);
  return {
    startSeconds: endSeconds - minutes * 60,
    endSeconds,
    stepSeconds: Math.max(1, Math.ceil((minutes * 60) / 240)),
  };
}

function uPlotFiles(): UPlotFiles {
  const find = createRequire(import.meta.url).resolve;
  return {
    script: readFileSync(find('uplot/dist/uPlot.iife.min.js'), 'utf8'),
    style: readFileSync(find('uplot/dist/uPlot.min.css'), 'utf8'),
  };
}
