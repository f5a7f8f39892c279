/** A real NATS server and a real coordinator process; a thousand agents are played by this process, over ten connections. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { registerNode } from '../../../bus/identity/join.ts';
import { runningNatsPid } from '../../../bus/server/nats-server.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { freePort } from '../../support/free-port.ts';
import { TestNats } from '../../support/nats-server.ts';
import { endCoordinator, socketIn, startCoordinator } from '../coordinator/coordinator-process.ts';
import { EngineApi } from '../engine-api.ts';
import { forEachConcurrently, secondsUntil } from '../measure.ts';
import { cpuMsOf } from '../process-cost.ts';

const CONNECTIONS = 10;
const BEAT_MS = 500;
const STARTS_AT_ONCE = 20;
const LIMIT_S = 600;
const RUNNING = /^plimsoll_service_status_replicas_ready\{[^}]*\} (\d+)$/gm;

/** CPU time so far, by part. */
export interface PartCosts {
  readonly coordinator: number;
  readonly nats: number;
  /** All simulated agents together, and this program. */
  readonly agents: number;
}

export class Fleet {
  readonly api: EngineApi;
  private readonly nats: TestNats;
  private readonly coordinator: ChildProcess;
  private readonly pagesUrl: string;
  private nodes: readonly FakeNode[] = [];

  private constructor(nats: TestNats, coordinator: ChildProcess, pagesUrl: string) {
    this.nats = nats;
    this.coordinator = coordinator;
    this.pagesUrl = pagesUrl;
    this.api = new EngineApi(socketIn(nats.stateDir));
  }

  static async up(agents: number): Promise<Fleet> {
    const nats = await TestNats.start();
    const port = await freePort();
    const coordinator = startCoordinator(nats.stateDir, port, join(nats.stateDir, 'probe.sock'));
    const fleet = new Fleet(nats, coordinator, `http://127.0.0.1:${port}`);
    try {
      await secondsUntil(() => fleet.isServing());
      await fleet.enlist(agents);
      return fleet;
    } catch (error) {
      await fleet.down();
      throw error;
    }
  }

  /** Creates services, waits until all their tasks are reported ready; answers the seconds from the first call. */
  async deploy(services: number, replicas: number): Promise<number> {
    const TaskTemplate = {
      ContainerSpec: { Image: 'plimsoll/sleep:1' },
      Resources: { Reservations: { NanoCPUs: 1_000_000, MemoryBytes: 4 << 20 } },
    };
    const names = Array.from({ length: services }, (_, index) => `service-${index}`);
    const begin = performance.now();
    await forEachConcurrently(names, STARTS_AT_ONCE, (Name) =>
      this.api.createService({ Name, TaskTemplate, Mode: { Replicated: { Replicas: replicas } } }),
    );
    const wanted = services * replicas;
    const running = () => this.nodes.reduce((sum, node) => sum + node.running.size, 0);
    await secondsUntil(async () => running() >= wanted, LIMIT_S);
    await secondsUntil(async () => (await this.readyTasks()) === wanted, LIMIT_S);
    return (performance.now() - begin) / 1000;
  }

  costs(): PartCosts {
    const { user, system } = process.cpuUsage();
    const ofProcess = (pid: number | undefined) => (pid === undefined ? 0 : cpuMsOf([pid]));
    return {
      coordinator: ofProcess(this.coordinator.pid),
      nats: ofProcess(runningNatsPid(this.nats.stateDir)),
      agents: (user + system) / 1000,
    };
  }

  async down(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.api.close();
    await endCoordinator(this.coordinator);
    await this.nats.stop();
  }

  private async enlist(agents: number): Promise<void> {
    const numbers = Array.from({ length: agents }, (_, index) => index);
    const nodes = await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, at) => {
        const connection = await this.nats.coordinator();
        const names = numbers.filter((number) => number % CONNECTIONS === at).map((number) => `node-${number}`);
        return names.map((name) => ({ node: new FakeNode(name, connection, systemClock, BEAT_MS), connection }));
      }),
    );
    this.nodes = nodes.flat().map(({ node }) => node);
    await forEachConcurrently(nodes.flat(), STARTS_AT_ONCE, async ({ node, connection }) => {
      await registerNode({ buckets: connection.buckets, clock: systemClock }, node.id, `U${node.name}`);
      await node.start();
    });
    await secondsUntil(async () => (await this.readyNodes()) === agents, LIMIT_S);
  }

  private isServing(): Promise<boolean> {
    return fetch(`${this.pagesUrl}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  }

  private async readyNodes(): Promise<number> {
    const nodes = await this.api.call<readonly { readonly Status: { readonly State: string } }[]>('GET', '/nodes');
    return nodes.filter(({ Status }) => Status.State === 'ready').length;
  }

  private async readyTasks(): Promise<number> {
    const page = await (await fetch(`${this.pagesUrl}/metrics`)).text();
    return [...page.matchAll(RUNNING)].reduce((sum, [, count]) => sum + Number(count), 0);
  }
}
