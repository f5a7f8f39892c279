import { expect, it } from 'vitest';
import type { Family } from '../../../../../agent/metrics/host/family.ts';
import { Processors } from '../../../../../agent/metrics/host/processors.ts';

const rest =
  'intr 4000 1 2 3\nctxt 900\nbtime 1700000000\nprocesses 55\nprocs_running 2\nprocs_blocked 1\nsoftirq 9 1 1\n';
const stat = (cpu0: string) => `cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 ${cpu0}\n${rest}`;

function valueOf(families: readonly Family[], name: string, labels = ''): number | undefined {
  const samples = families.find((family) => family.name === name)?.samples;
  return samples?.find(([own]) => own === labels)?.[1];
}

it('tells the time of each processor in each mode, not of all together', () => {
  const families = new Processors().families(stat('100 200 300 400 500 600 700 800 90 10'));
  const seconds = families.find(({ name }) => name === 'node_cpu_seconds_total')?.samples;
  expect(seconds).toEqual([
    ['cpu="0",mode="user"', 1],
    ['cpu="0",mode="nice"', 2],
    ['cpu="0",mode="system"', 3],
    ['cpu="0",mode="idle"', 4],
    ['cpu="0",mode="iowait"', 5],
    ['cpu="0",mode="irq"', 6],
    ['cpu="0",mode="softirq"', 7],
    ['cpu="0",mode="steal"', 8],
  ]);
  expect(valueOf(families, 'node_cpu_guest_seconds_total', 'cpu="0",mode="user"')).toBe(0.9);
});

it.each([
  ['node_boot_time_seconds', 1_700_000_000],
  ['node_context_switches_total', 900],
  ['node_forks_total', 55],
  ['node_intr_total', 4000],
  ['node_procs_running', 2],
  ['node_procs_blocked', 1],
])('reads %s', (name, value) => {
  expect(valueOf(new Processors().families(stat('1 1 1 1 1 1 1 1 0 0')), name)).toBe(value);
});

it('never lets a counter step back, which the kernel does with iowait', () => {
  const processors = new Processors();
  processors.families(stat('0 0 0 1000 500 0 0 0 0 0'));
  const families = processors.families(stat('5 0 0 990 480 0 0 0 0 0'));
  expect(valueOf(families, 'node_cpu_seconds_total', 'cpu="0",mode="iowait"')).toBe(5);
  expect(valueOf(families, 'node_cpu_seconds_total', 'cpu="0",mode="idle"')).toBe(10);
  expect(valueOf(families, 'node_cpu_seconds_total', 'cpu="0",mode="user"')).toBe(0.05);
});

it('begins again when a processor was taken out and put back', () => {
  const processors = new Processors();
  processors.families(stat('700 0 0 1000 500 0 0 0 0 0'));
  const families = processors.families(stat('1 0 0 2 0 0 0 0 0 0'));
  expect(valueOf(families, 'node_cpu_seconds_total', 'cpu="0",mode="user"')).toBe(0.01);
  expect(valueOf(families, 'node_cpu_seconds_total', 'cpu="0",mode="idle"')).toBe(0.02);
});
