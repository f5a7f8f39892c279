import { createColors } from 'picocolors';
import { expect, test } from 'vitest';
import { callTable, nodeTable, serviceTable, taskTable } from '../../../cli/usage-tables.ts';
import { derivedId } from '../../../runtime/identifiers.ts';

const plain = createColors(false);
const GIB = 2 ** 30;
const id = derivedId('any');

test('nodes: shares of all their cores, memory and disk; nothing known of a silent one', () => {
  const busy = {
    id,
    name: 'h1',
    state: 'ready',
    cpuCores: 1.5,
    cpuTotalCores: 4,
    memoryBytes: GIB,
    memoryTotalBytes: 4 * GIB,
    load1: 0.5,
    diskBytes: 1,
    diskTotalBytes: 10,
    tasks: 3,
  };

  expect(nodeTable([busy, { id, name: 'h2', state: 'lost', tasks: 0 }], plain).split('\n')).toEqual([
    'NODE      STATE     CPU %     CORES      MEM USAGE / TOTAL   MEM %     LOAD      DISK %    TASKS',
    'h1        ready     37.50%    1.50 / 4   1GiB / 4GiB         25.00%    0.50      10.00%    3',
    'h2        lost      --        -- / --    -- / --             --        --        --        0',
    '',
  ]);
});

test('services: sums over the tasks measured', () => {
  const web = { id, name: 'web', tasks: 2, desired: 3, cpuCores: 1.234, memoryBytes: 512 * 2 ** 20 };

  expect(
    serviceTable([{ ...web, receiveBytesPerSecond: 1_500, transmitBytesPerSecond: 0, connectionsPerSecond: 12.34 }]),
  ).toBe(
    'SERVICE   TASKS     CPU %     MEM USAGE   NET I/O PER S   CONN/S\n' +
      'web       2/3       123.40%   512MiB      1.5kB / 0B      12.3\n',
  );
});

test('tasks: beside their limits, coloured where near them', () => {
  const colors = createColors(true);
  const task = { id, name: 'web.1', node: 'h1', cpuCores: 0.48, cpuLimitCores: 0.5 };
  const text = taskTable([{ ...task, memoryBytes: 0.75 * GIB, memoryLimitBytes: GIB }], colors);

  expect(text).toContain(colors.red('48.00%'));
  expect(text).toContain(colors.yellow('75.00%'));
  expect(text).toContain('768MiB / 1GiB');
});

test('calls: who calls whom; who is no service is from outside', () => {
  const calls = [
    { from: 'web', to: 'api', connectionsPerSecond: 5 },
    { to: 'web', connectionsPerSecond: 0.25 },
  ];

  expect(callTable(calls)).toBe('FROM        TO        CONN/S\nweb         api       5.0\n(outside)   web       0.3\n');
});
