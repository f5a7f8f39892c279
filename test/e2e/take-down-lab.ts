/** Runs once around all end-to-end tests: the lab they share goes, whatever became of them. */
import { sharedClusterDown } from '../support/cluster.ts';

/** The tests' processes inherit it. */
export function setup(): void {
  process.env['E2E_RUN'] = crypto.randomUUID();
}

/** E2E_KEEP_LAB=1 keeps it for a look and for the next run. */
export async function teardown(): Promise<void> {
  if (process.env['E2E_KEEP_LAB'] === undefined) await sharedClusterDown();
}
