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
  /** host:port it listens on; a free port of the loopback unless said. */
  readonly listen?: string;
  /** Scrape and evaluate as often as the shipped configuration says, not each second. */
  readonly asShipped?: boolean;
  /** URL of the Alertmanager alerts are sent to. */
  readonly alertmanager?: string;
}

/** Scrapes each second, so that a test need not wait; answers when the server does. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, configurationOf(options));
  const address = options.listen ?? `127.0.0.1:${await freePort()}`;
  const flags = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--rules.alert.resend-delay=4s',
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

function configurationOf({ coordinator, rules = [], asShipped = false, alertmanager }: PrometheusOptions): string {
  const shipped = readFileSync(join(packageRoot(), 'prometheus', 'prometheus.yml'), 'utf8');
  const own = shipped.replaceAll('http://127.0.0.1:7700', coordinator);
  const timed = asShipped ? own : own.replace(/(_interval): 5s/g, '$1: 1s');
  const managers = [{ static_configs: [{ targets: [alertmanager?.replace('http://', '')] }] }];
  const alerting = alertmanager === undefined ? '' : `alerting: ${JSON.stringify({ alertmanagers: managers })}\n`;
  return `${timed}\nrule_files: ${JSON.stringify(rules)}\n${alerting}`;
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
