/** Where the benchmarks' lab stands: its own, so that no lab in use is taken down; LAB_NAME and LAB_SUBNET move it. */
import type { LabPlace } from '../support/lab.ts';

export function benchPlace(): LabPlace {
  return { name: process.env.LAB_NAME ?? 'bench', subnet: process.env.LAB_SUBNET ?? '10.99.60' };
}
