/** The findings for people: one line per dashboard, then what is missing. Pure. */
import type { Finding } from './check.ts';
import type { Ownership } from './ownership.ts';

export interface Share {
  readonly dashboard: string;
  readonly withData: number;
  /** Expressions over series we promise, less those that ask for what these hosts do not have. */
  readonly ours: number;
  readonly beyondWithData: number;
  readonly beyond: number;
  readonly notOurs: number;
}

export interface CompatReport {
  readonly shares: readonly Share[];
  readonly total: Share;
  readonly findings: readonly Finding[];
  /** No promised expression is without data. */
  readonly ok: boolean;
}

export function reportOf(findings: readonly Finding[]): CompatReport {
  const dashboards = [...new Set(findings.map(({ dashboard }) => dashboard))];
  const total = shareOf('all', findings);
  return {
    shares: dashboards.map((name) =>
      shareOf(
        name,
        findings.filter(({ dashboard }) => dashboard === name),
      ),
    ),
    total,
    findings,
    ok: total.withData === total.ours,
  };
}

function shareOf(dashboard: string, findings: readonly Finding[]): Share {
  const count = (ownership: Ownership, accept: (finding: Finding) => boolean) =>
    findings.filter((finding) => finding.ownership === ownership && accept(finding)).length;
  const hasData = ({ outcome }: Finding) => outcome === 'data';
  return {
    dashboard,
    withData: count('ours', hasData),
    ours: count('ours', ({ outcome }) => outcome !== 'host'),
    beyondWithData: count('beyond', hasData),
    beyond: count('beyond', () => true),
    notOurs: count('not-ours', () => true),
  };
}

export function renderTable(report: CompatReport): string {
  const rows = [...report.shares, report.total].map((share) => [
    share.dashboard,
    `${share.withData} of ${share.ours}`,
    share.ours === 0 ? '-' : `${Math.floor((100 * share.withData) / share.ours)} %`,
    `${share.beyondWithData} of ${share.beyond}`,
    String(share.notOurs),
  ]);
  const table = [['DASHBOARD', 'WITH DATA', 'SHARE', 'BEYOND', 'NOT OURS'], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...sections(report.findings)].join('\n');
}

function sections(findings: readonly Finding[]): string[] {
  const of = (ownership: Ownership, ...outcomes: Finding['outcome'][]) =>
    findings.filter((finding) => finding.ownership === ownership && outcomes.includes(finding.outcome));
  return [
    ...section('Without data', of('ours', 'miss').map(inFull)),
    ...section('Of what these hosts do not have', of('ours', 'host').map(inFull)),
    ...section(
      "Beyond the series we promise of node_exporter's",
      of('beyond', 'miss', 'host').map(({ why }) => why),
    ),
    ...section(
      'Not ours, series of other programs',
      of('not-ours', 'miss', 'host').map(({ why }) => why),
    ),
  ];
}

function inFull({ dashboard, expression, why }: Finding): string {
  return `${dashboard}: ${expression.replace(/\s+/g, ' ').trim()}\n    ${why}`;
}

/** Each line once. */
function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...[...new Set(lines)].toSorted().map((line) => `  ${line}`)];
}
