/** A real Prometheus that scrapes a lab's cluster, with the configuration Plimsoll ships. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

export interface PrometheusServer {
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** A coordinator's URL. */
  readonly coordinator: string;
  /** Files of rules, beside what the shipped configuration names. */
  readonly rules?: readonly string[];
}

/** Scrapes each second, so that a test need not wait; answers when the server does. */
export async function startPrometheus({ coordinator, rules = [] }: PrometheusOptions): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, `${shippedConfiguration(coordinator)}\nrule_files: ${JSON.stringify(rules)}\n`);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ];
  const server = spawn(installedProgram('prometheus', 'prometheus'), flags, { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const stop = async () => {
    if (server.kill('SIGKILL')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = async () => (await fetch(`http://${address}/-/ready`)).ok;
  await eventually(isReady, { timeoutMs: 30_000, intervalMs: 100, what: 'Prometheus to be ready' }).catch(
    async (error) => {
      await stop();
      throw error;
    },
  );
  return { url: `http://${address}`, stop };
}

function shippedConfiguration(coordinator: string): string {
  const shipped = readFileSync(join(packageRoot(), 'prometheus', 'prometheus.yml'), 'utf8');
  return shipped.replaceAll('http://127.0.0.1:7700', coordinator).replace(/(_interval): 5s/g, '$1: 1s');
}

/** The path of a program: the machine's own, else the one scripts/install.d unpacked. */
export function installedProgram(program: string, debianPackage: string): string {
  try {
    return execFileSync('which', [program], { encoding: 'utf8' }).trim();
  } catch {
    const cache = process.env['PLIMSOLL_CACHE_DIR'] ?? '/var/cache/plimsoll';
    return join(cache, 'programs', debianPackage, 'usr', 'bin', program);
  }
}
