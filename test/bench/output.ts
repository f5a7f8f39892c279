/** Where benchmarks print: the report on standard output, progress on standard error. */
import { type Report, tableOf } from './report.ts';

/** `format` is `table` or `json`. */
export function printReport(report: Report, format: string): void {
  process.stdout.write(format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : tableOf(report));
}

export function sayOnStderr(line: string): void {
  process.stderr.write(`  ${line}\n`);
}
