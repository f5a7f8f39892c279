/** Each alert says what it is about and has a page that says what to do; there is no page without an alert. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../../runtime/version.ts';

const Alert = z.object({
  alert: z.string(),
  expr: z.string(),
  labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.object({ summary: z.string(), description: z.string(), runbook: z.string() }),
});
const Record = z.object({ record: z.string().regex(/^\w+:\w+:\w+$/), expr: z.string() });
const RuleFile = z.object({
  groups: z.array(z.object({ name: z.string(), rules: z.array(z.union([Alert, Record])) })),
});

function text(...path: string[]): string {
  return readFileSync(join(packageRoot(), ...path), 'utf8');
}

const rules = RuleFile.parse(parse(text('prometheus', 'plimsoll.rules.yml'))).groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => 'alert' in rule);
const pages = readdirSync(join(packageRoot(), 'docs', 'runbooks')).filter((name) => name !== 'README.md');

describe.each(alerts)('$alert', ({ alert, annotations }) => {
  it('has its page, and the list of pages names it', () => {
    expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`);
    expect(text(annotations.runbook)).toMatch(new RegExp(`^# ${alert}\\n\\n.+\\n`));
    expect(text('docs', 'runbooks', 'README.md')).toContain(`(${alert}.md)`);
  });

  it('is tested', () => {
    const tested = text('prometheus', 'plimsoll.rules.test.yml');
    expect(
      tested.includes(alert) || (alert.startsWith('PlimsollAutoscaler') && tested.includes('PlimsollAutoscaler.*')),
    ).toBe(true);
  });
});

it('no page is about an alert there is not', () => {
  expect(pages.toSorted()).toEqual([...new Set(alerts.map(({ alert }) => `${alert}.md`))].toSorted());
});
