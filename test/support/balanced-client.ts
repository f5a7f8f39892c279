/**
 * A load balancer's clients, with the API for a registry: each request goes to a task that the API calls ready, at the port
 * of its host. One that meets a task which the API has withdrawn meanwhile goes to another; nothing else is forgiven.
 */
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { createApiClient } from '../../cli/api-client.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Cluster } from './cluster.ts';

const CLIENTS = 4;
const PAUSE_MS = 10;
const REFRESH_MS = 100;

const Tasks = z.array(
  z.object({
    NodeID: z.string(),
    DesiredState: z.string(),
    Status: z.object({
      State: z.string(),
      PortStatus: z.object({ Ports: z.array(z.object({ PublishedPort: z.int() })).optional() }),
    }),
  }),
);
const Nodes = z.array(z.object({ ID: z.string(), Description: z.object({ Hostname: z.string() }) }));
const Answer = z.object({ version: z.string() });

export class BalancedClient {
  readonly failures: string[] = [];
  readonly versions = new Set<string>();
  requests = 0;
  private readonly cluster: Cluster;
  private readonly service: string;
  private readonly addressOf = new Map<string, string>();
  private ready: readonly string[] = [];
  private loops: Promise<void>[] = [];
  private running = false;
  private turn = 0;

  constructor(cluster: Cluster, service: string) {
    this.cluster = cluster;
    this.service = service;
  }

  async start(): Promise<void> {
    for (const { ID, Description } of await this.api.get('/v1.41/nodes', Nodes)) {
      this.addressOf.set(ID, this.cluster.host(Description.Hostname).address);
    }
    await this.refresh();
    this.running = true;
    this.loops = [this.refreshOnAndOn(), ...Array.from({ length: CLIENTS }, () => this.askOnAndOn())];
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.loops);
  }

  private get api() {
    return createApiClient(this.cluster.lab.clusterSocket);
  }

  private async refresh(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ service: [this.service], 'desired-state': ['running'] }));
    const tasks = await this.api.get(`/v1.41/tasks?filters=${filters}`, Tasks);
    const serving = tasks.filter(
      ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
    );
    this.ready = serving.flatMap(({ NodeID, Status }) =>
      (Status.PortStatus.Ports ?? []).map(({ PublishedPort }) => `${this.addressOf.get(NodeID)}:${PublishedPort}`),
    );
  }

  private async refreshOnAndOn(): Promise<void> {
    while (this.running) {
      await this.refresh().catch((error: unknown) => this.failures.push(`the API: ${messageOf(error)}`));
      await delay(REFRESH_MS);
    }
  }

  private async askOnAndOn(): Promise<void> {
    while (this.running) {
      await this.request();
      await delay(PAUSE_MS);
    }
  }

  private async request(): Promise<void> {
    this.requests += 1;
    for (;;) {
      const address = this.ready[this.turn++ % this.ready.length];
      if (address === undefined) return void this.failures.push('no task is ready');
      try {
        this.versions.add(Answer.parse(JSON.parse(await ask(`http://${address}/`))).version);
        return;
      } catch (error) {
        await this.refresh();
        if (this.ready.includes(address)) return void this.failures.push(`${address}: ${messageOf(error)}`);
      }
    }
  }
}

function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 15_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body)).on('error', reject);
    });
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer within 15 s')));
  });
}
