/** How long a cgroup's tasks waited for processors, memory and disks. Format: the kernel's psi.rst; v2 and hybrid hosts. */
import type { CgroupFiles } from './container-cgroups.ts';
import { dividedBy, numberIn } from './kernel-text.ts';
import type { Put } from './metric-catalogue.ts';

const MICROSECONDS = 1e6;

export function readPressure({ v2 }: CgroupFiles, put: Put): void {
  for (const resource of ['cpu', 'memory', 'io'] as const) {
    const text = v2(`${resource}.pressure`);
    put(`container_pressure_${resource}_waiting_seconds_total`, secondsOf(text, 'some'));
    put(`container_pressure_${resource}_stalled_seconds_total`, secondsOf(text, 'full'));
  }
}

/** A line is `some avg10=0.00 avg60=0.00 avg300=0.00 total=1234`. */
function secondsOf(text: string | undefined, kind: 'some' | 'full'): number | undefined {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(kind));
  return dividedBy(numberIn(line?.slice(line.lastIndexOf('=') + 1)), MICROSECONDS);
}
