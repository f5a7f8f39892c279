/**
 * `npm run compat -- DIR`: what share of dashboards' expressions have data from our agents, and which have not. DIR holds
 * Grafana dashboards (*.json) and lists of expressions (*.tsv). Asks the Prometheus of `--prometheus URL`, else one that
 * scrapes a lab under light load (scripts/lab; needs root). Exit code 1: a promised expression is without data; 2: it could not
 * be found out.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';
import { checkDashboards } from './check.ts';
import { withCompatLab } from './compat-lab.ts';
import { readDashboards } from './dashboard.ts';
import { prometheusAt } from './prometheus-client.ts';
import { renderTable, reportOf } from './report.ts';

const usage = 'Usage: npm run compat -- DIR [--prometheus URL] [--format table|json]';
const { values, directory } = wordsOfCommand();

const isJson = values.format === 'json';
try {
  const dashboards = readDashboards(directory);
  const check = (url: string) => checkDashboards(dashboards, prometheusAt(url));
  const findings = await (values.prometheus === undefined ? withCompatLab(check) : check(values.prometheus));
  const report = reportOf(findings);
  process.stdout.write(`${isJson ? JSON.stringify(report, undefined, 2) : renderTable(report)}\n`);
  process.exitCode = report.ok ? 0 : 1;
} catch (error) {
  process.stderr.write(`compat: ${messageOf(error)}\n`);
  process.exitCode = 2;
}

function wordsOfCommand() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        prometheus: { type: 'string' },
        format: { type: 'string', default: 'table' },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (values.help) leave(0, usage);
    const [directory] = positionals;
    if (directory === undefined || positionals.length > 1) leave(2, `Name one directory.\n${usage}`);
    if (!['table', 'json'].includes(values.format))
      leave(2, `--format ${values.format} is neither table nor json.\n${usage}`);
    return { values, directory };
  } catch (error) {
    return leave(2, `${messageOf(error)}\n${usage}`);
  }
}

function leave(exitCode: number, words: string): never {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${words}\n`);
  process.exit(exitCode);
}
