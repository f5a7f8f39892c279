/** `plim monitoring up --native` on a host of the lab, with the real programs of Debian's packages. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isAlive, signalProcess } from '../../cli/supervise/process-table.ts';
import { UnitDirectory } from '../../cli/supervise/unit.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';
import { installedProgram } from '../support/prometheus-server.ts';

const units = ['monitoring-alertmanager', 'monitoring-prometheus'];
const Vector = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});
const Managers = z.object({ data: z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }) });
const Flags = z.object({ data: z.record(z.string(), z.string()) });

describe('plim monitoring up --native', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'plimsoll-native-'));
  const directory = new UnitDirectory(stateDir);
  let cluster: Cluster;

  async function plimAt({ host = 'h1', state = stateDir }, ...words: string[]): Promise<string> {
    const args = ['monitoring', ...words, '--socket', cluster.lab.clusterSocket, '--state-dir', state];
    return cluster.on(host, process.execPath, builtPlim(), ...args);
  }
  const plim = (...words: string[]) => plimAt({}, ...words);
  const programs = Object.entries({
    '--prometheus-program': installedProgram('prometheus', 'prometheus'),
    '--alertmanager-program': installedProgram('prometheus-alertmanager', 'prometheus-alertmanager'),
  }).flat();
  const up = (...more: string[]) => plim('up', '--native', ...programs, ...more);
  const page = (url: string) => cluster.on('h1', 'curl', '-fsS', '--max-time', '10', url);
  const asked = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(JSON.parse(await page(`http://127.0.0.1:9095/api/v1/${path}`)));
  /** Of the messages Alertmanager sent to the coordinator. */
  const webhook = async (counter: 'total' | 'failed_total') => {
    const samples = new RegExp(
      `^alertmanager_notifications_${counter}\\{[^}]*integration="webhook"[^}]*\\} (\\d+)$`,
      'gm',
    );
    const metrics = await page('http://127.0.0.1:9093/metrics');
    return [...metrics.matchAll(samples)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const processIds = () => units.map((name) => directory.process(name)?.pid);
  const wait = <T>(what: string, condition: () => Promise<T>) =>
    eventually(condition, { timeoutMs: 90_000, intervalMs: 250, what });

  beforeAll(async () => {
    cluster = await sharedCluster();
    await up();
  });

  afterAll(async () => {
    await plim('down', '--native', '--purge').catch(() => undefined);
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('says which run and where, and by name that Grafana does not', async () => {
    const said = await up('--grafana-program', '/nowhere/bin/grafana').catch(String);
    expect(said).toContain('Cannot find /nowhere/bin/grafana');
    const again = await up();
    expect(again).toMatch(/prometheus +ready +http:\/\/127\.0\.0\.1:9095\n/);
    expect(again).toMatch(/alertmanager +ready +http:\/\/127\.0\.0\.1:9093\n/);
    expect(again).toContain(existsSync('/usr/share/grafana/bin/grafana') ? 'grafana' : 'Grafana does not run');
  });

  it('scrapes the cluster each 5 s, knows its Alertmanager, and keeps as long as the stack does', async () => {
    await wait('four pages to be read', async () => {
      const { data } = await asked(`query?query=${encodeURIComponent('sum(up{job=~"plimsoll-.*"})')}`, Vector);
      if (data.result[0]?.value[1] !== '4') throw new Error(JSON.stringify(data));
      return true;
    });
    const { data: flags } = await asked('status/flags', Flags);
    expect(flags['storage.tsdb.retention.time']).toBe('15d');
    expect(flags['storage.tsdb.retention.size']).toMatch(/^8Gi?B$/);
    expect(flags['rules.alert.resend-delay']).toBe('4s');
    expect(await page('http://127.0.0.1:9095/api/v1/status/config')).toContain('scrape_interval: 5s');
    expect(await page('http://127.0.0.1:9095/api/v1/rules')).toContain('PlimsollNodeDown');
    await wait('Prometheus to know its Alertmanager', async () => {
      const { data } = await asked('alertmanagers', Managers);
      expect(data.activeAlertmanagers.map(({ url }) => url)).toEqual(['http://127.0.0.1:9093/api/v2/alerts']);
      return true;
    });
  });

  it('has alerts with an action reach the coordinator, with the token it takes', async () => {
    const token = join(stateDir, 'monitoring', 'etc', 'alertmanager', 'plimsoll-token');
    expect(statSync(token).mode & 0o777).toBe(0o600);
    const before = { sent: await webhook('total'), failed: await webhook('failed_total') };
    const labels = {
      alertname: 'OfThisTest',
      plimsoll_service: 'nobody',
      plimsoll_action: 'freeze',
      try: randomUUID(),
    };
    const body = JSON.stringify([{ labels }]);
    const url = 'http://127.0.0.1:9093/api/v2/alerts';
    await cluster.on('h1', 'curl', '-fsS', '--max-time', '10', '-H', 'content-type: application/json', '-d', body, url);
    await wait('the message to be taken', async () => {
      expect(await webhook('total')).toBeGreaterThan(before.sent);
      expect(await webhook('failed_total')).toBe(before.failed);
      return true;
    });
  });

  it('changes nothing when run again', async () => {
    const before = processIds();
    await up();
    expect(processIds()).toEqual(before);
  });

  it('refuses what would fight for the ports: the stack, other programs', async () => {
    await expect(plim('up')).rejects.toThrow(/programs of this host have its ports/);
    const state = join(stateDir, 'other');
    await expect(plimAt({ state }, 'up', '--native', ...programs)).rejects.toThrow(
      /another program listens at 127.0.0.1:9095.*systemctl disable --now prometheus/,
    );
    expect(existsSync(state)).toBe(false);
  });

  it('refuses, and shows, on other hosts what runs here already', async () => {
    const elsewhere = { host: 'h2', state: join(stateDir, 'h2') };
    const here = /run as programs of h1/;
    await expect(plimAt(elsewhere, 'up', '--native', ...programs)).rejects.toThrow(here);
    await expect(plimAt(elsewhere, 'up')).rejects.toThrow(here);
    expect(await plimAt(elsewhere, 'status')).toMatch(here);
    expect(existsSync(elsewhere.state)).toBe(false);
  });

  it('comes back after kill -9 of each', async () => {
    const killed = units.map((name) => directory.process(name));
    for (const process of killed) if (process) signalProcess(process, 'SIGKILL');
    await wait('both to be ready again', async () => {
      const Programs = z.object({ programs: z.array(z.object({ problem: z.string().optional() })) });
      const { programs } = Programs.parse(JSON.parse(await plim('status', '--format', 'json')));
      expect(processIds()).not.toContain(killed[0]?.pid);
      expect(processIds()).not.toContain(killed[1]?.pid);
      expect(programs.map(({ problem }) => problem)).toEqual([undefined, undefined]);
      return true;
    });
  });

  it('leaves no process behind when taken down, and keeps what was stored but with --purge', async () => {
    const processes = [...units.map((name) => directory.process(name)), directory.supervisor()];
    await plim('down', '--native');
    expect(processes.filter((process) => process !== undefined && isAlive(process))).toEqual([]);
    expect(existsSync(join(stateDir, 'monitoring', 'prometheus', 'wal'))).toBe(true);
    await plim('down', '--native', '--purge');
    expect(existsSync(join(stateDir, 'monitoring'))).toBe(false);
  });
});
