import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../../runtime/version.ts';

const read = (...path: string[]) => readFileSync(join(packageRoot(), ...path), 'utf8');
const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      command: z.array(z.string()).default([]),
      networks: z.array(z.string()),
      configs: z.array(z.object({ source: z.string(), target: z.string() })),
      healthcheck: z.object({ test: z.array(z.string()) }),
      deploy: z.object({
        placement: z.object({ constraints: z.array(z.string()) }),
        resources: z.object({ limits: z.object({ memory: z.string(), cpus: z.string() }) }),
      }),
    }),
  ),
  configs: z.record(z.string(), z.object({ file: z.string(), name: z.string() })),
});
const { services, configs } = Compose.parse(parse(read('compose', 'monitoring.yml'), { merge: true }));

it('scrapes what prometheus/prometheus.yml scrapes, and has rules and an Alertmanager beside', () => {
  const alone = read('prometheus', 'prometheus.yml');
  const stack = read('compose', 'prometheus.yml');
  expect(stack.slice(0, alone.length), 'else copy prometheus/prometheus.yml over its beginning').toBe(alone);
  expect(parse(stack)).toMatchObject({
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: ['plimsoll.rules.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:9093'] }] }] },
  });
});

it('gives Grafana every dashboard there is', () => {
  const targets = services['grafana']?.configs.map(({ target }) => basename(target)) ?? [];
  expect(targets.filter((name) => name.endsWith('.json')).toSorted()).toEqual(
    readdirSync(join(packageRoot(), 'dashboards', 'json')).toSorted(),
  );
});

it('mounts every configuration it names, each a file that is there, under a name of its revision', () => {
  const mounted = Object.values(services).flatMap((service) => service.configs.map(({ source }) => source));
  expect(mounted.toSorted()).toEqual(Object.keys(configs).toSorted());
  const wrong = Object.values(configs).filter(
    ({ file, name }) =>
      !existsSync(join(packageRoot(), 'compose', file)) || !name.endsWith('-${PLIMSOLL_MONITORING_REVISION:-1}'),
  );
  expect(wrong).toEqual([]);
});

it.each(Object.entries(services))(
  '%s is limited, beside a coordinator, and checked at the port it has',
  (_, service) => {
    expect(service.deploy.placement.constraints).toEqual(['node.role == manager']);
    expect(service.networks).toEqual(['node']);
    expect(service.image).toMatch(/^\$\{PLIMSOLL_[A-Z]+_IMAGE:-[\w/]+:v?\d/);
    const listen = service.command.flatMap((word) => /^--web\.listen-address=(.+)/.exec(word)?.[1] ?? []);
    const [address = '127.0.0.1:3000'] = listen;
    expect(service.healthcheck.test.join(' ')).toContain(`http://${address}/`);
  },
);

it('has the data sources where Prometheus and Alertmanager are', () => {
  const sources = parse(read('compose', 'grafana', 'datasources.yml')) as { datasources: { url: string }[] };
  const listening = Object.values(services).flatMap(({ command }) =>
    command.flatMap((word) => /^--web\.listen-address=(.+)/.exec(word)?.[1] ?? []),
  );
  expect(sources.datasources.map(({ url }) => url)).toEqual(listening.map((address) => `http://${address}`));
});
