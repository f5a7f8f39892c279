/** /proc/pressure under node_exporter's names. Format: the kernel's psi.rst. Pure. */
import { type Family, single } from './family.ts';

const MICROSECONDS_PER_SECOND = 1e6;

/** Word of the file, word of the metric. Of the processors as a whole "full" is undefined. */
const shownLines = {
  cpu: [['some', 'waiting']],
  memory: [
    ['some', 'waiting'],
    ['full', 'stalled'],
  ],
  io: [
    ['some', 'waiting'],
    ['full', 'stalled'],
  ],
  irq: [['full', 'stalled']],
} as const;

export type PressureResource = keyof typeof shownLines;
export const pressureResources: readonly PressureResource[] = ['cpu', 'memory', 'io', 'irq'];

const helpOf = {
  waiting: 'Seconds in which some processes waited for it.',
  stalled: 'Seconds in which no process could go on for want of it.',
};

export function pressureFamilies(resource: PressureResource, text = ''): Family[] {
  return shownLines[resource].flatMap(([line, state]) => {
    const microseconds = new RegExp(`^${line} .*total=(\\d+)`, 'm').exec(text)?.[1];
    const seconds = microseconds === undefined ? undefined : Number(microseconds) / MICROSECONDS_PER_SECOND;
    return single(`node_pressure_${resource}_${state}_seconds_total`, 'counter', helpOf[state], seconds);
  });
}
