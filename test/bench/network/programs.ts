/** wrk and iperf3, as scripts/install.d gets them. */
import { join } from 'node:path';
import { packageRoot } from '../../../runtime/version.ts';
import { shell } from '../../support/network-namespace.ts';

export async function ensurePrograms(): Promise<void> {
  const scripts = join(packageRoot(), 'scripts', 'install.d');
  await shell(`bash -euc 'for part in ${scripts}/*.sh; do . "$part"; done; ensure_wrk; ensure_iperf3'`);
}
