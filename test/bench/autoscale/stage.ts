/** A lab with a real Prometheus and a real Alertmanager, as shipped, beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { AlertTokenAnswer } from '../../../model/alert-view.ts';
import { AutoscaleView } from '../../../model/autoscale-view.ts';
import { prometheusAt } from '../../compat/prometheus-client.ts';
import { type AlertmanagerServer, startAlertmanager } from '../../support/alertmanager-server.ts';
import { Cluster } from '../../support/cluster.ts';
import { type LabPlace, labUp } from '../../support/lab.ts';
import { type PrometheusServer, startPrometheus } from '../../support/prometheus-server.ts';

const PROMETHEUS_PORT = 19_090;
const ALERTMANAGER_PORT = 19_093;

export class Stage {
  readonly cluster: Cluster;
  private readonly folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-autoscale-'));
  private readonly address: string;
  private readonly api: Client;
  private alertmanager: AlertmanagerServer | undefined;
  private prometheus: PrometheusServer | undefined;

  private constructor(cluster: Cluster, address: string) {
    this.cluster = cluster;
    this.address = address;
    this.api = new Client('http://plimsoll', { socketPath: cluster.lab.clusterSocket });
  }

  /** `rules`: of Prometheus. */
  static async up(place: LabPlace, rules: string): Promise<Stage> {
    // The machine's own address on the lab's bridge: the coordinator asks what runs there.
    const address = `${place.subnet}.254`;
    process.env['PLIMSOLL_PROMETHEUS'] = `http://${address}:${PROMETHEUS_PORT}`;
    process.env['PLIMSOLL_ALERTMANAGER'] = `http://${address}:${ALERTMANAGER_PORT}`;
    const stage = new Stage(new Cluster(await labUp({ engine: 'plimsoll', hosts: 3, place })), address);
    try {
      await stage.startMonitoring(rules);
      return stage;
    } catch (error) {
      await stage.down();
      throw error;
    }
  }

  async view(service: string): Promise<AutoscaleView> {
    return AutoscaleView.parse(await this.get(`/v1/autoscale/${service}`));
  }

  /** The one number a query answers now. */
  async measured(query: string): Promise<number> {
    if (this.prometheus === undefined) throw new Error('Prometheus does not run');
    const [sample] = await prometheusAt(this.prometheus.url).query(query);
    if (sample === undefined) throw new Error(`Prometheus has no data for ${query}`);
    return sample.value;
  }

  /** Where the service published on `port` answers, on each host. */
  urls(port: number, path: string): string[] {
    return this.cluster.lab.hosts.map(({ address }) => `http://${address}:${port}${path}`);
  }

  async down(): Promise<void> {
    await this.prometheus?.stop();
    await this.alertmanager?.stop();
    await this.api.close();
    await this.cluster.lab.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startMonitoring(rules: string): Promise<void> {
    const coordinator = this.cluster.lab.plimUrl;
    const { token } = AlertTokenAnswer.parse(await this.get('/v1/alerts/token'));
    const file = join(this.folder, 'bench.rules.yml');
    writeFileSync(file, rules);
    this.alertmanager = await startAlertmanager({ coordinator, token, listen: `${this.address}:${ALERTMANAGER_PORT}` });
    this.prometheus = await startPrometheus({
      coordinator,
      rules: [file],
      listen: `${this.address}:${PROMETHEUS_PORT}`,
      asShipped: true,
      alertmanager: this.alertmanager.url,
    });
  }

  private async get(path: string): Promise<unknown> {
    const { statusCode, body } = await this.api.request({ method: 'GET', path });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${text}`);
    return JSON.parse(text);
  }
}
