/** A host with two processors and half of its memory used, of whose containers nothing is known. */
import type { UsageMeter } from '../../agent/usage/usage-meter.ts';

const GIB = 2 ** 30;

export const fakeUsageMeter: UsageMeter = {
  host: () => ({ atMs: 0, cpuSeconds: 0, cpuCores: 2, memoryBytes: GIB, memoryTotalBytes: 2 * GIB, load1: 0.5 }),
  container: () => undefined,
  forget: () => undefined,
  disk: async () => undefined,
};
