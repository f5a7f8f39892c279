import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHostSeries, type HostRun } from '../../../../../agent/metrics/host/host-series.ts';
import { KernelFiles } from '../../../../../agent/metrics/kernel-files.ts';
import { systemClock } from '../../../../../runtime/clock.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { textWritten } from '../../../../support/page-text.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plimsoll-host-series-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const create = (procRoot: string) =>
  createHostSeries({
    files: new KernelFiles(0),
    roots: { procRoot, rootfs: '/' },
    version: '1.2.3',
    clock: systemClock,
    log: createLog('test', 'silent'),
  });

async function read(procRoot: string) {
  let runs: HostRun['runs'] = [];
  const text = await textWritten(async (writer, turns) => {
    ({ runs } = await create(procRoot).write(writer, turns));
  });
  return { text, runs };
}

it('leaves out what it cannot read, says so, and tells the rest', async () => {
  write('proc/loadavg', '0.5 0.25 0.125 1/2 3\n');
  const { text, runs } = await read(`${root}/proc`);

  expect(text).toContain('# TYPE node_load1 gauge\nnode_load1 0.5\n');
  expect(text).not.toContain('node_memory_');
  const success = new Map(runs.map((run) => [run.collector, run.success]));
  expect(success.get('loadavg')).toBe(true);
  expect(success.get('meminfo')).toBe(false);
  expect(success.get('conntrack'), 'this kernel tracks no connections: no failure').toBe(true);
});

it("shows the host's network where it sees the host's files elsewhere, not the agent's own", async () => {
  const heading = 'Inter-|   Receive  |  Transmit\n';
  write('proc/net/dev', `${heading}  own: 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n`);
  write('proc/1/net/dev', `${heading} eth0: 7 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n`);
  const { text } = await read(`${root}/proc`);

  expect(text).toContain('node_network_receive_bytes_total{device="eth0"} 7\n');
  expect(text).not.toContain('device="own"');
});

it('shows each family of this host once, with a number in each series', async () => {
  const { text, runs } = await read('/proc');

  expect(runs.filter(({ success }) => !success)).toEqual([]);
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(series.filter((line) => !/^[a-zA-Z0-9_]+(\{.*\})? -?\d[\d.e+-]*$/.test(line))).toEqual([]);
  expect(new Set(series.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(series.length);
});
