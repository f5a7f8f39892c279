/** What /proc/stat says, under node_exporter's names. Format: proc_stat(5). */
import { labelText } from '../../../runtime/label-text.ts';
import { type Family, type HostSample, single } from './family.ts';

/** In the order of a `cpu` line; guest time is also part of user and nice time. */
const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const IDLE = modes.indexOf('idle');
const guestModes = ['user', 'nice'] as const;
/** The kernel shows programs hundredths of a second on every architecture. */
const TICKS_PER_SECOND = 100;
/** Idle time that falls by this much tells of a processor taken out and put back: it counts from 0 again. */
const RESTART_TICKS = 3 * TICKS_PER_SECOND;

/**
 * Remembers the processors' last numbers: the kernel lets idle and iowait step back a little, which Prometheus would
 * take for a restart of the counter. node_exporter holds them in the same way.
 */
export class Processors {
  private readonly last = new Map<string, readonly number[]>();

  families(procStat: string): Family[] {
    const seconds: HostSample[] = [];
    const guestSeconds: HostSample[] = [];
    for (const [, cpu = '', numbers = ''] of procStat.matchAll(/^cpu(\d+) (.*)$/gm)) {
      const ticks = this.held(cpu, numbers.split(' ').map(Number));
      seconds.push(...modes.map((mode, index) => timeSample(cpu, mode, ticks[index])));
      guestSeconds.push(...guestModes.map((mode, index) => timeSample(cpu, mode, ticks[modes.length + index])));
    }
    return [
      counter('node_cpu_seconds_total', 'Seconds the CPUs spent in each mode.', seconds),
      counter('node_cpu_guest_seconds_total', 'Seconds the CPUs spent in virtual machines, by mode.', guestSeconds),
      ...systemFamilies(procStat),
    ];
  }

  private held(cpu: string, now: readonly number[]): readonly number[] {
    const before = this.last.get(cpu) ?? [];
    const isRestart = (before[IDLE] ?? 0) - (now[IDLE] ?? 0) >= RESTART_TICKS;
    const held = isRestart ? now : now.map((ticks, index) => Math.max(ticks, before[index] ?? 0));
    this.last.set(cpu, held);
    return held;
  }
}

function timeSample(cpu: string, mode: string, ticks = 0): HostSample {
  return [labelText({ cpu, mode }), ticks / TICKS_PER_SECOND];
}

function counter(name: string, help: string, samples: readonly HostSample[]): Family {
  return { name, type: 'counter', help, samples };
}

function systemFamilies(procStat: string): Family[] {
  const numbers = new Map<string, number>();
  // The first number of the line: `intr` goes on with one for each of thousands of interrupts.
  for (const [, key = '', number] of procStat.matchAll(/^([a-z_]+) (\d+)/gm)) numbers.set(key, Number(number));
  return [
    ...single('node_boot_time_seconds', 'gauge', 'When the host booted, in Unix seconds.', numbers.get('btime')),
    ...single('node_context_switches_total', 'counter', 'Context switches.', numbers.get('ctxt')),
    ...single('node_forks_total', 'counter', 'Processes and threads started.', numbers.get('processes')),
    ...single('node_intr_total', 'counter', 'Interrupts serviced.', numbers.get('intr')),
    ...single('node_procs_running', 'gauge', 'Processes able to run.', numbers.get('procs_running')),
    ...single('node_procs_blocked', 'gauge', 'Processes waiting for I/O.', numbers.get('procs_blocked')),
  ];
}
