/** Metric families of the host and their Prometheus text. */
import type { PageWriter } from '../page-writer.ts';
import type { Turns } from '../turns.ts';

export type FamilyType = 'counter' | 'gauge' | 'untyped';

/** Rendered labels without the braces, empty for none, and the number. */
export type HostSample = readonly [labels: string, value: number];

/** All series of one name. A source this host does not have gives no family, never a 0. */
export interface Family {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly samples: readonly HostSample[];
}

/** A family of one series without labels; none when there is no number. */
export function single(name: string, type: FamilyType, help: string, value: number | undefined): Family[] {
  return value === undefined || Number.isNaN(value) ? [] : [{ name, type, help, samples: [['', value]] }];
}

/** Those without samples are left out. */
export async function writeFamilies(writer: PageWriter, families: readonly Family[], turns: Turns): Promise<void> {
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    writer.text(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    for (const [labels, value] of samples) {
      writer.text(labels === '' ? `${name} ` : `${name}{${labels}} `);
      writer.value(value);
    }
    await turns.yieldIfLong();
  }
}

/**
 * The families of a table with one row per thing and one column per metric, as /proc likes to lay them out.
 * A row may be short: older kernels know fewer columns.
 */
export function columnFamilies(columns: readonly Column[], rows: readonly LabelledRow[]): Family[] {
  return columns.map(({ name, type, help, unitsPer }, index) => ({
    name,
    type,
    help,
    samples: rows.flatMap(({ labels, numbers }): HostSample[] => {
      const value = numbers[index];
      return value === undefined ? [] : [[labels, value / unitsPer]];
    }),
  }));
}

export interface Column {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  /** Of the kernel's units in one of the metric's. Divided, because 350 ms times 0.001 is no 0.35. */
  readonly unitsPer: number;
}

export interface LabelledRow {
  readonly labels: string;
  readonly numbers: readonly number[];
}
