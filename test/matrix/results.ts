/** What the matrix found: kept in a file from cell to cell, so that a run can be taken up again, and printed as a table. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type Cell, cellsOf, faults, nameOf, phases, runAs, targets } from './cell.ts';

const StoredResult = z.object({
  cell: z.object({ fault: z.enum(faults), target: z.enum(targets), phase: z.enum(phases) }),
  startedAt: z.string(),
  violations: z.array(z.string()).readonly(),
  faultMs: z.number(),
  healMs: z.number(),
  outageMs: z.number(),
});
export type StoredResult = Readonly<z.infer<typeof StoredResult>>;

/** Results by the name of their cell; none when there is no such file. */
export function readResults(path: string): Map<string, StoredResult> {
  if (!existsSync(path)) return new Map();
  const stored = z.array(StoredResult).parse(JSON.parse(readFileSync(path, 'utf8')));
  return new Map(stored.map((result) => [nameOf(result.cell), result]));
}

export function writeResults(path: string, results: ReadonlyMap<string, StoredResult>): void {
  writeFileSync(`${path}.new`, `${JSON.stringify([...results.values()], undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
}

/** One line per fault and target, one column per phase: seconds until whole, how long `steady` lacked replicas in brackets. */
export function tableOf(results: ReadonlyMap<string, StoredResult>): string {
  const rows = faults.flatMap((fault) =>
    targets.map((target) => [fault, target, ...phases.map((phase) => shown(results, { fault, target, phase }))]),
  );
  const lines = [['fault', 'target', ...phases], ['---', '---', ...phases.map(() => '---:')], ...rows];
  return lines.map((columns) => `| ${columns.join(' | ')} |`).join('\n');
}

function shown(results: ReadonlyMap<string, StoredResult>, cell: Cell): string {
  const acted = runAs(cell);
  const result = results.get(nameOf(acted));
  if (result === undefined) return '-';
  const failed = result.violations.length > 0 ? ' FAILED' : '';
  const same = acted.target === cell.target ? '' : ' *';
  return `${seconds(result.healMs)} (${seconds(result.outageMs)})${same}${failed}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/** How many of all cells passed, failed, or were not run. */
export function summaryOf(results: ReadonlyMap<string, StoredResult>): string {
  const found = cellsOf().map((cell) => results.get(nameOf(runAs(cell))));
  const passed = found.filter((result) => result?.violations.length === 0).length;
  const missing = found.filter((result) => result === undefined).length;
  return `${found.length} cells: ${passed} passed, ${found.length - passed - missing} failed, ${missing} not run`;
}
