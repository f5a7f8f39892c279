import { describe, expect, test } from 'vitest';
import { readHostUsage } from '../../../../agent/usage/host-usage.ts';
import { trafficIn } from '../../../../agent/usage/traffic.ts';

const stat = `cpu  1000 200 300 90000 4000 10 20 30 500 60
cpu0 500 100 150 45000 2000 5 10 15 250 30
cpu1 500 100 150 45000 2000 5 10 15 250 30
intr 12345 0 0
ctxt 99
`;
const meminfo = `MemTotal:        8000000 kB
MemFree:          100000 kB
MemAvailable:    6000000 kB
`;
const loadavg = '0.52 0.58 0.59 1/1138 12345\n';

describe('readHostUsage()', () => {
  test('counts the time processors worked, guests once, and the memory that is not available', () => {
    expect(readHostUsage({ stat, meminfo, loadavg }, 7)).toEqual({
      atMs: 7,
      cpuSeconds: 15.6,
      cpuCores: 2,
      memoryBytes: 2_000_000 * 1024,
      memoryTotalBytes: 8_000_000 * 1024,
      load1: 0.52,
    });
  });

  test.each([{ stat: undefined }, { meminfo: '' }, { loadavg: undefined }])('knows nothing with %j', (missing) => {
    expect(readHostUsage({ stat, meminfo, loadavg, ...missing }, 7)).toBeUndefined();
  });
});

describe('trafficIn()', () => {
  const head = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;

  test('sums over devices, loopback left out, with and without a blank after the colon', () => {
    const netDev = `${head}    lo: 9999      1    0    0    0     0          0         0     9999       1    0    0    0     0       0          0
  eth0: 1000      2    0    0    0     0          0         0     2000       3    0    0    0     0       0          0
  eth1:10         2    0    0    0     0          0         0       20       3    0    0    0     0       0          0
`;

    expect(trafficIn(netDev)).toEqual({ receivedBytes: 1010, sentBytes: 2020 });
  });

  test('is unknown without the file', () => {
    expect(trafficIn(undefined)).toBeUndefined();
  });
});
