/** A real Alertmanager with the configuration Plimsoll ships. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { installedProgram } from './prometheus-server.ts';

export interface TestAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  /** In the past: it is over. */
  readonly endsAt?: string;
}

export interface AlertmanagerServer {
  readonly url: string;
  /** Tells of alerts as Prometheus does. */
  tell(...alerts: readonly TestAlert[]): Promise<void>;
  /** Silences alerts with this label for an hour. */
  silence(label: string, value: string): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface AlertmanagerOptions {
  /** Of the coordinator whose `/v1/alerts` it calls. */
  readonly coordinator: string;
  readonly token: string;
  /** host:port it listens on; a free port of the loopback unless said. */
  readonly listen?: string;
}

/** Answers when the server does. */
export async function startAlertmanager({
  coordinator,
  token,
  listen,
}: AlertmanagerOptions): Promise<AlertmanagerServer> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-alertmanager-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${token}\n`);
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, shippedConfiguration(coordinator, tokenFile));
  const address = listen ?? `127.0.0.1:${await freePort()}`;
  const flags = [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ];
  const program = installedProgram('prometheus-alertmanager', 'prometheus-alertmanager');
  const server = spawn(program, flags, { stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const url = `http://${address}`;
  const stop = async () => {
    if (server.kill('SIGKILL')) await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = async () => (await fetch(`${url}/-/ready`)).ok;
  await eventually(isReady, { timeoutMs: 30_000, intervalMs: 100, what: 'Alertmanager to be ready' }).catch(
    async (error) => {
      await stop();
      throw error;
    },
  );
  return { url, stop, ...calls(url) };
}

function calls(url: string): Pick<AlertmanagerServer, 'tell' | 'silence'> {
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v2/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  };
  return {
    tell: (...alerts) => post('alerts', alerts),
    silence: (name, value) => {
      const nowMs = Date.now();
      const times = { startsAt: new Date(nowMs).toISOString(), endsAt: new Date(nowMs + 3_600_000).toISOString() };
      const matchers = [{ name, value, isRegex: false, isEqual: true }];
      return post('silences', { matchers, ...times, createdBy: 'test', comment: 'test' });
    },
  };
}

function shippedConfiguration(coordinator: string, tokenFile: string): string {
  const shipped = readFileSync(join(packageRoot(), 'prometheus', 'alertmanager.yml'), 'utf8');
  return shipped
    .replace('url: http://127.0.0.1:7700/', `url: ${coordinator}/`)
    .replace('credentials_file: /etc/alertmanager/plimsoll-token', `credentials_file: ${tokenFile}`);
}
