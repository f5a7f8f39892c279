/** wrk and iperf3, as scripts/install.d gets them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../../runtime/version.ts';

/** Installs those that are missing, which may take minutes; what it does is told on standard error. */
export async function ensurePrograms(): Promise<void> {
  const scripts = join(packageRoot(), 'scripts', 'install.d');
  const script = 'for part in "$0"/*.sh; do . "$part"; done; ensure_wrk; ensure_iperf3';
  const installer = spawn('bash', ['-euc', script, scripts], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [exitCode] = await once(installer, 'exit');
  if (exitCode !== 0) throw new Error('Cannot install wrk and iperf3: why is said above. Install them by hand');
}
