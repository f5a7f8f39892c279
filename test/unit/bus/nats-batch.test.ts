import { expect, test } from 'vitest';
import { fitsBatch } from '../../../bus/nats-batch.ts';

const MIB = 1024 * 1024;
const sized = (count: number, bytes: number) => Array.from({ length: count }, () => ({ data: 'x'.repeat(bytes) }));

test('a batch takes so many messages and so many bytes, each of a size that the server takes alone', () => {
  expect(fitsBatch(sized(128, 2_000), MIB)).toBe(true);
  expect(fitsBatch(sized(1_000, 100), MIB)).toBe(true);
  expect(fitsBatch(sized(1_001, 100), MIB)).toBe(false);
  expect(fitsBatch(sized(9, MIB - 10_000), MIB)).toBe(false);
  expect(fitsBatch([...sized(3, 100), ...sized(1, MIB)], MIB)).toBe(false);
});
