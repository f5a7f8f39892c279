import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runnableStack, STAND_IN_IMAGE } from '../../compat-stacks/stand-in.ts';

const serviceOf = (yaml: string) => parse(yaml).services.web;

describe('runnableStack()', () => {
  it('has stand-ins for images and for what is mounted of the host, and calls that no change', () => {
    const { yaml, changes } = runnableStack(`
services:
  web:
    image: nginx:\${TAG}
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro", "data:/data"]
volumes: { data: {} }`);

    expect(serviceOf(yaml)).toEqual({
      image: STAND_IN_IMAGE,
      volumes: [
        { type: 'bind', source: '/etc', target: '/var/run/docker.sock', read_only: true },
        { type: 'volume', source: 'data', target: '/data' },
      ],
    });
    expect(changes).toEqual([]);
  });

  it('names what must be there before: files, variables, external things, labels of nodes', () => {
    const stack = runnableStack(`
services:
  web:
    image: nginx:\${TAG}
    env_file: web.env
    command: \${NAME:-web} $\${NOT_OURS}
    deploy: { placement: { constraints: [node.labels.disk == fast] } }
networks: { proxy: { external: true } }
secrets: { password: { external: { name: db_password } }, key: { file: ./key } }`);

    expect(stack).toMatchObject({
      files: ['./key', 'web.env'],
      environment: { TAG: 'tag' },
      external: { networks: ['proxy'], secrets: ['db_password'], configs: [], volumes: [] },
      nodeLabels: { disk: 'fast' },
      changes: [],
    });
  });

  it('says what else it had to change', () => {
    const { yaml, changes } = runnableStack(`
services:
  web:
    image: nginx
    logging: { driver: syslog }
    networks: [back]
    healthcheck: { test: "true", start_interval: 1s }
    deploy: { placement: { constraints: [node=1] }, endpoint_mode: dnsrr, resources: { limits: { cpus: "0.001" } } }
    ports: ["80:80"]
volumes: { data: { driver: rexray, driver_opts: { size: 10 } } }`);

    expect(changes).toEqual([
      'web: logs go to json-file, not to syslog, which is not there',
      'web: endpoint_mode dnsrr is left out: Swarm refuses it beside ports of the routing mesh',
      'web: may use 0.5 CPUs, not 0.001: the kernel takes no less than 0.01, too few for its health check',
      "web: the health check's start_interval is left out: older engines have none",
      'web: the constraint "node=1" is left out: Swarm refuses it',
      'web: the network back is defined: the file uses it without',
      'volumes data: plain local, without rexray, size',
    ]);
    expect(serviceOf(yaml)).toMatchObject({ logging: {}, deploy: { placement: { constraints: [] } } });
  });
});

it.each([
  ['nofile: 40000', { soft: 1_000, hard: 1_000 }],
  ['nofile: {soft: 20, hard: 40000}', { soft: 20, hard: 1_000 }],
  ['nofile: 900', 900],
])('of "%s" no more files may be opened than the machine allows', (limit, expected) => {
  const stack = runnableStack(`services: {web: {image: nginx, ulimits: {${limit}}}}`, 1_000);

  expect(parse(stack.yaml).services.web.ulimits).toEqual({ nofile: expected });
  expect(stack.changes).toEqual(
    expected === 900 ? [] : ['web: may open 1000 files, not 40000: this machine allows no more'],
  );
});
