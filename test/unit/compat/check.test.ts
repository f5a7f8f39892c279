import { describe, expect, it } from 'vitest';
import { checkDashboards } from '../../compat/check.ts';
import { type Dashboard, parseDashboard, readDashboards } from '../../compat/dashboard.ts';
import type { PrometheusClient } from '../../compat/prometheus-client.ts';
import { renderTable, reportOf } from '../../compat/report.ts';
import { variableValues } from '../../compat/variables.ts';

const fixtures = new URL('../../compat/fixtures', import.meta.url).pathname;

/** Answers what a set of expressions is known to have; remembers what it was asked. */
class FakePrometheus implements PrometheusClient {
  readonly asked: string[] = [];
  private readonly hasData: (expression: string) => boolean;

  constructor(hasData: (expression: string) => boolean) {
    this.hasData = hasData;
  }

  query(expression: string) {
    this.asked.push(expression);
    const labels = { __name__: 'node_meta', node_id: 'n1', node_name: 'h1' };
    return Promise.resolve(this.hasData(expression) ? [{ labels, value: 1 }] : []);
  }

  labelValues(label: string, selector: string | undefined) {
    this.asked.push(`${label} of ${selector}`);
    return Promise.resolve([`${label}-1.0`, 'b']);
  }
}

function dashboardNamed(name: string): Dashboard {
  const found = readDashboards(fixtures).find((dashboard) => dashboard.name === name);
  if (!found) throw new Error(`no dashboard ${name}`);
  return found;
}

describe('readDashboards()', () => {
  it('finds expressions in panels, in rows and in lists', () => {
    const found = readDashboards(fixtures).map(({ name, expressions }) => [name, expressions.length]);
    expect(found).toEqual([
      ['containers.json', 4],
      ['expressions.tsv: nodes.json', 2],
      ['hosts.json', 4],
    ]);
  });

  it('lets a variable of a list be anything', () => {
    const [first] = dashboardNamed('expressions.tsv: nodes.json').expressions;
    expect(first).toBe('node_load1 * on(instance) group_left(node_name) node_meta{node_id=~".+"}');
  });

  it('refuses what is no dashboard', () => {
    expect(() => parseDashboard('x.json', [1, 2])).toThrow(/expected object/i);
  });
});

describe('variableValues()', () => {
  it('asks Prometheus for each, in order, and takes the "all" value where there is one', async () => {
    const { variables } = dashboardNamed('containers.json');
    const prometheus = new FakePrometheus(() => true);
    const values = await variableValues(variables, prometheus);
    expect(values.get('interval')).toBe('1m');
    expect(values.get('job')).toBe('.+');
    expect(values.get('instance')).toBe('(instance-1\\\\.0|b)');
    expect(prometheus.asked).toContain('instance of container_last_seen{job=~".+"}');
    expect(values.get('node_id')).toBe('(n1)');
  });
});

describe('checkDashboards()', () => {
  it('asks with the variables filled in', async () => {
    const prometheus = new FakePrometheus(() => true);
    await checkDashboards([dashboardNamed('containers.json')], prometheus);
    expect(prometheus.asked).toContain(
      'sum(irate(container_cpu_usage_seconds_total{container_label_com_docker_swarm_node_id=~"(n1)"}[1m])) by (container_label_com_docker_swarm_service_name)',
    );
    expect(prometheus.asked.join()).not.toMatch(/\$|\[\[/);
  });

  it('tells what is missing, what these hosts do not have, and what is not ours', async () => {
    const served = /^(count\()?(node_filesystem_\w+|sum\(rate\(node_cpu|node_load1)/;
    const prometheus = new FakePrometheus((expression) => served.test(expression) && !expression.includes('aufs'));
    const findings = await checkDashboards(readDashboards(fixtures), prometheus);
    const outcomes = findings.map(({ ownership, outcome, why }) => `${ownership} ${outcome} ${why}`);
    expect(outcomes).toEqual([
      'ours miss no series container_cpu_usage_seconds_total',
      'ours miss no series container_memory_working_set_bytes',
      'ours miss no series container_cpu_usage_seconds_total',
      'not-ours miss no series engine_daemon_engine_info',
      'ours data ',
      'ours miss no series node_network_receive_bytes_total',
      'ours miss no series node_cpu_seconds_total',
      'ours data ',
      'ours host nothing matches node_filesystem_free_bytes{fstype="aufs"}',
      'beyond miss no series node_hwmon_temp_celsius',
    ]);
    const report = reportOf(findings);
    expect(report.total).toMatchObject({ withData: 2, ours: 7, beyond: 1, notOurs: 1 });
    expect(report.ok).toBe(false);
    expect(renderTable(report)).toContain('all                          2 of 7     28 %   0 of 1  1');
  });

  it('is content when every promised expression has data', async () => {
    const prometheus = new FakePrometheus((expression) => !/hwmon|engine|aufs/.test(expression));
    const report = reportOf(await checkDashboards(readDashboards(fixtures), prometheus));
    expect(report.ok).toBe(true);
    expect(report.total).toMatchObject({ withData: 7, ours: 7 });
  });

  it("tells Prometheus' own words when it refuses an expression", async () => {
    const prometheus: PrometheusClient = {
      query: () => Promise.reject(new Error('parse error at char 3')),
      labelValues: () => Promise.resolve([]),
    };
    const dashboard = { name: 'x', variables: [], expressions: ['up{'] };
    const [finding] = await checkDashboards([dashboard], prometheus);
    expect(finding).toMatchObject({ outcome: 'miss', why: 'Error: parse error at char 3' });
  });
});
