/**
 * The monitoring stack, deployed on the cluster for real: Prometheus and Alertmanager out of Debian's packages. Grafana is in
 * no Debian package: a program stands in for it that shows which files it is given.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../runtime/version.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';

const run = promisify(execFile);
const parts = ['prometheus', 'alertmanager', 'grafana-stand-in'] as const;
const images = Object.fromEntries(parts.map((part) => [part, `plimsoll-test/${part}:1`]));
const environment = {
  ...process.env,
  PLIMSOLL_PROMETHEUS_IMAGE: images['prometheus'],
  PLIMSOLL_ALERTMANAGER_IMAGE: images['alertmanager'],
  PLIMSOLL_GRAFANA_IMAGE: images['grafana-stand-in'],
};
const secrets = ['plimsoll-alerts-token', 'plimsoll-grafana-password'];
const volumes = ['monitoring_prometheus', 'monitoring_alertmanager', 'monitoring_grafana'];

const Status = z.object({
  services: z.array(z.object({ name: z.string(), replicas: z.string() })),
  grafana: z.string().optional(),
});
const Answer = z.object({ status: z.literal('success'), data: z.unknown() });
const Vector = z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) });
const Rules = z.object({
  groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
});
const Managers = z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) });

describe('plim monitoring', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
    const engine = `unix://${cluster.host('h1').engineSocket}`;
    const build = join(packageRoot(), 'examples', 'build-image');
    const directory = join(packageRoot(), 'test', 'fixtures', 'monitoring-images');
    for (const part of parts) await run(build, [engine, join(directory, part), images[part] ?? '']);
    await plim('up');
  });

  afterAll(async () => {
    await cluster.clear();
    for (const secret of secrets) await cluster.try('secret', 'rm', secret);
    await cluster.try('stack', 'rm', 'monitoring');
    await eventually(volumesAreGone, { timeoutMs: 60_000, intervalMs: 500, what: 'the volumes to be removed' });
    await cluster.engine('h1', 'image', 'rm', '--force', ...Object.values(images));
  });

  async function volumesAreGone(): Promise<boolean> {
    await cluster.engine('h1', 'volume', 'rm', '--force', ...volumes);
    return true;
  }

  async function plim(...words: string[]): Promise<string> {
    const args = [builtPlim(), 'monitoring', ...words, '--socket', cluster.lab.clusterSocket];
    return (await run(process.execPath, args, { env: environment })).stdout;
  }

  /** Of the node's own network: nobody else is answered. */
  const page = (url: string) => cluster.on('h1', 'curl', '-fsS', '--max-time', '10', url);
  const asked = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(Answer.parse(JSON.parse(await page(`http://127.0.0.1:9095/api/v1/${path}`))).data);
  const wait = <T>(what: string, condition: () => Promise<T>) =>
    eventually(condition, { timeoutMs: 90_000, intervalMs: 500, what });

  it('runs all three, healthy, and says where Grafana is', async () => {
    const status = await wait('all services to run', async () => {
      const shown = Status.parse(JSON.parse(await plim('status', '--format', 'json')));
      if (!shown.services.every(({ replicas }) => replicas === '1/1')) throw new Error(JSON.stringify(shown));
      return shown;
    });
    expect(status.services.map(({ name }) => name).toSorted()).toEqual([
      'monitoring_alertmanager',
      'monitoring_grafana',
      'monitoring_prometheus',
    ]);
    expect(status.grafana).toBe(`http://${cluster.host('h1').address}:3000`);
  });

  it('scrapes every agent and the coordinator, evaluates the rules, and knows its Alertmanager', async () => {
    const expression = encodeURIComponent('sum(up{job=~"plimsoll-.*"})');
    await wait('four pages to be read', async () => {
      const { result } = await asked(`query?query=${expression}`, Vector);
      if (result[0]?.value[1] !== '4') throw new Error(JSON.stringify(result));
      return true;
    });
    await wait('the rules to be evaluated', async () => {
      const rules = (await asked('rules', Rules)).groups.flatMap((group) => group.rules);
      expect(rules.length).toBeGreaterThan(10);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
      return true;
    });
    const { activeAlertmanagers } = await asked('alertmanagers', Managers);
    expect(activeAlertmanagers.map(({ url }) => url)).toEqual(['http://127.0.0.1:9093/api/v2/alerts']);
    await page('http://127.0.0.1:9093/-/ready');
  });

  it('gives Grafana its data sources and every dashboard, at port 3000', async () => {
    const given = (path: string) => page(`http://${cluster.host('h1').address}:3000/etc/grafana/${path}`);
    const committed = (...path: string[]) => readFileSync(join(packageRoot(), ...path), 'utf8').trim();
    expect(await given('provisioning/datasources/plimsoll.yml')).toBe(
      committed('compose', 'grafana', 'datasources.yml'),
    );
    for (const name of ['plimsoll-cluster.json', 'plimsoll-nodes.json', 'plimsoll-nats.json']) {
      expect(await given(`plimsoll/${name}`)).toBe(committed('dashboards', 'json', name));
    }
  });

  it('can be deployed again, and leaves nothing running when taken down', async () => {
    expect(await plim('up')).not.toContain('password');
    await plim('down');
    expect(await plim('status')).toBe('Not deployed. Deploy it: plim monitoring up\n');
    expect(await cluster.docker('secret', 'ls', '--format', '{{.Name}}')).toBe('plimsoll-grafana-password');
  });
});
