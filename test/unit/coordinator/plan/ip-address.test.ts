import { describe, expect, it } from 'vitest';
import { isWithin, parseRange } from '../../../../coordinator/plan/ip-address.ts';

function within(address: string, range: string): boolean | undefined {
  const parsed = parseRange(range);
  return parsed && isWithin(address, parsed);
}

describe('isWithin()', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.4', '10.1.2.3', false],
    ['10.1.2.130', '10.1.2.128/25', true],
    ['10.1.2.127', '10.1.2.128/25', false],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['fd00:1::5', 'fd00:1::/32', true],
    ['fd00:2::5', 'fd00:1::/32', false],
    ['fd00::5', 'FD00:0:0:0:0:0:0:5', true],
    ['fdff::1', 'fd80::/9', true],
    ['fd00::1', 'fd80::/9', false],
    ['::1', '::/0', true],
    ['fd00::1', '0.0.0.0/0', false],
    ['10.0.0.1', '::/0', false],
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
  ])('%s in %s: %s', (address, range, expected) => {
    expect(within(address, range)).toBe(expected);
  });
});

describe('parseRange()', () => {
  it.each([
    '',
    'web',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '::1::2',
    '1:2:3',
    '1:2:3:4:5:6:7:8:9',
    'fd00::/129',
    'g::1',
    '10.0.0.1::1',
  ])('%j is no address', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});
