/** /proc/schedstat and /proc/net/softnet_stat under node_exporter's names. Format: the kernel's sched-stats.rst. Pure. */
import { labelText } from '../../../runtime/label-text.ts';
import { type Column, columnFamilies, type Family } from './family.ts';

const NANOSECONDS_PER_SECOND = 1e9;
/** Columns 7 to 9 of a `cpu` line are of running tasks, the others of the scheduler itself. */
const FIRST_TASK_COLUMN = 6;

const schedulerColumns: readonly Column[] = [
  column('schedstat_running_seconds_total', 'Seconds a CPU ran tasks.', NANOSECONDS_PER_SECOND),
  column('schedstat_waiting_seconds_total', 'Seconds tasks waited for a CPU.', NANOSECONDS_PER_SECOND),
  column('schedstat_timeslices_total', 'Timeslices a CPU gave.', 1),
];

const softnetColumns: readonly Column[] = [
  column('softnet_processed_total', 'Packets processed.', 1),
  column('softnet_dropped_total', 'Packets dropped.', 1),
  column('softnet_times_squeezed_total', 'Times packet processing ran out of its quota.', 1),
];

function column(name: string, help: string, unitsPer: number): Column {
  return { name: `node_${name}`, type: 'counter', help, unitsPer };
}

export function schedulerFamilies(schedstat = ''): Family[] {
  const rows = schedstat.split('\n').flatMap((line) => {
    const [, cpu, numbers] = /^cpu(\d+) (.*)$/.exec(line) ?? [];
    if (cpu === undefined || numbers === undefined) return [];
    return [{ labels: labelText({ cpu }), numbers: numbers.split(' ').slice(FIRST_TASK_COLUMN).map(Number) }];
  });
  return columnFamilies(schedulerColumns, rows);
}

/** One line per processor, in base 16. */
export function softnetFamilies(softnetStat = ''): Family[] {
  const lines = softnetStat.split('\n').filter((line) => line !== '');
  const rows = lines.map((line, index) => {
    const numbers = line.split(' ').map((number) => Number.parseInt(number, 16));
    return { labels: labelText({ cpu: String(index) }), numbers };
  });
  return columnFamilies(softnetColumns, rows);
}
