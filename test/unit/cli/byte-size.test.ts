import { describe, expect, test } from 'vitest';
import { memorySize, trafficSize } from '../../../cli/byte-size.ts';

describe('sizes', () => {
  test.each([
    [0, '0B', '0B'],
    [999, '999B', '999B'],
    [1_000, '1000B', '1kB'],
    [1_024, '1KiB', '1.02kB'],
    [1.5 * 2 ** 30, '1.5GiB', '1.61GB'],
    [123_456_789, '117.7MiB', '123MB'],
    [2 ** 60, '1024PiB', '1150PB'],
  ])('%d bytes', (bytes, memory, traffic) => {
    expect([memorySize(bytes), trafficSize(bytes)]).toEqual([memory, traffic]);
  });
});
