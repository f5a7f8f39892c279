/** What a benchmark found, for people (a table) and for programs (JSON). Pure but for the look at the machine. */
import { arch, cpus, release, totalmem } from 'node:os';
import { type Calibration, calibrate } from './calibration.ts';
import { type Summary, summaryOf } from './statistics.ts';

/** One thing measured for every contestant, or at every size. */
export interface Row {
  readonly name: string;
  /** s, ms, MB, % ... */
  readonly unit: string;
  /** By column; a column that is absent was not measured. */
  readonly cells: Readonly<Record<string, Summary>>;
  /** What is aimed at, in words. */
  readonly goal?: string;
}

export interface Report {
  readonly title: string;
  readonly machine: Machine;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly architecture: string;
  readonly node: string;
  /** When the benchmark ended. */
  readonly calibration: Calibration;
}

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    architecture: arch(),
    node: process.version,
    calibration: calibrate(),
  };
}

/** Collects samples as they come, in the order in which names and columns first appear. */
export class Figures {
  private readonly samples = new Map<string, Map<string, number[]>>();
  private readonly units = new Map<string, { unit: string; goal?: string }>();
  private readonly columns = new Set<string>();
  private readonly say: (line: string) => void;

  /** `say` is told every sample at once: a run takes long. */
  constructor(say: (line: string) => void = () => undefined) {
    this.say = say;
  }

  add(name: string, column: string, value: number, unit: string, goal?: string): void {
    const byColumn = this.samples.get(name) ?? new Map<string, number[]>();
    this.samples.set(name, byColumn);
    byColumn.set(column, [...(byColumn.get(column) ?? []), value]);
    this.units.set(name, { unit, ...(goal === undefined ? {} : { goal }) });
    this.columns.add(column);
    this.say(`${column}: ${name}: ${shortNumber(value)} ${unit}`);
  }

  report(title: string): Report {
    const rows = [...this.samples].map(([name, byColumn]) => ({
      name,
      unit: '',
      ...this.units.get(name),
      cells: Object.fromEntries([...byColumn].map(([column, values]) => [column, summaryOf(values)])),
    }));
    return { title, machine: thisMachine(), columns: [...this.columns], rows };
  }
}

/** Medians, with the smallest and largest value where there are several. */
export function tableOf({ title, machine, columns, rows }: Report): string {
  const withGoals = rows.some((row) => row.goal !== undefined);
  const head = ['median (min-max)', ...columns, ...(withGoals ? ['goal'] : [])];
  const body = rows.map(({ name, unit, cells, goal }) => [
    unit === '' ? name : `${name}, ${unit}`,
    ...columns.map((column) => cellText(cells[column])),
    ...(withGoals ? [goal ?? ''] : []),
  ]);
  return [title, whereText(machine), '', ...markdown([head, ...body]), ''].join('\n');
}

function whereText({ cpu, cores, memoryGiB, kernel, node, calibration }: Machine): string {
  const { arithmeticMs, smallReadsMs } = calibration;
  const speed = `calibration ${shortNumber(arithmeticMs)} ms and ${shortNumber(smallReadsMs)} ms`;
  return `${cores} x ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, ${speed}`;
}

function markdown(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, index) => Math.max(3, ...lines.map((line) => line[index]?.length ?? 0)));
  const [head = '', ...body] = lines.map(
    (line) => `| ${line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`,
  );
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body];
}

function cellText(summary: Summary | undefined): string {
  if (!summary) return '-';
  const { median, min, max, samples } = summary;
  return samples === 1 ? shortNumber(median) : `${shortNumber(median)} (${shortNumber(min)}-${shortNumber(max)})`;
}

/** Three digits are all a measurement on a shared machine is good for. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
