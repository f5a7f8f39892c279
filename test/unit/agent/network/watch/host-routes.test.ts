import { expect, test } from 'vitest';
import { foreignRoutes, overlapWarnings } from '../../../../../agent/network/watch/host-routes.ts';

/** Addresses are little-endian hexadecimal words: 0000C80A is 10.200.0.0. */
const table = [
  'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
  'eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  'tun0\t0005C80A\t0102A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  'plimbabc\t0000C80A\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0',
  'plimsoll-vx\t4000C80A\t0102A8C0\t0003\t0\t0\t0\tC0FFFFFF\t0\t0\t0',
].join('\n');

test('every route of the host but its default and our own, those behind a gateway as well', () => {
  expect(foreignRoutes(table)).toEqual([
    { device: 'eth0', subnet: '192.168.2.0/24' },
    { device: 'tun0', subnet: '10.200.5.0/24' },
  ]);
});

test('warns of what overlaps with addresses of networks, and of nothing else', () => {
  const says = (ranges: readonly string[]) => overlapWarnings(foreignRoutes(table), ranges).map((each) => each.says);

  expect(says(['10.200.0.0/26', '10.200.0.64/26'])).toEqual([
    '10.200.5.0/24 on tun0 overlaps with 10.200.0.0/13, from which containers and services have addresses',
  ]);
  expect(says(['192.168.2.128/26'])).toEqual([
    '192.168.2.0/24 on eth0 overlaps with 192.168.2.128/26, from which containers and services have addresses',
  ]);
  expect(says(['10.50.0.0/26'])).toEqual([]);
});
