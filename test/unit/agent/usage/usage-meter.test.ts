import { describe, expect, it } from 'vitest';
import { diskUsageOf } from '../../../../agent/usage/usage-meter.ts';

describe('diskUsageOf()', () => {
  it('calls a disk full when only what is kept back for root is left', () => {
    const { bytes, totalBytes } = diskUsageOf({ bsize: 4096, blocks: 1000, bfree: 50, bavail: 0 });

    expect(bytes / totalBytes).toBe(1);
  });

  it('counts what is kept back for root neither as used nor as there', () => {
    expect(diskUsageOf({ bsize: 4096, blocks: 1000, bfree: 700, bavail: 300 })).toEqual({
      bytes: 300 * 4096,
      totalBytes: 600 * 4096,
    });
  });
});
