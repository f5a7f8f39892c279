/** A real NATS server and a real coordinator process; the nodes are played by this process, over real connections. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { issueNodeIdentity } from '../../../bus/identity/cluster.ts';
import { LogsRequest } from '../../../model/messages.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { freePort } from '../../support/free-port.ts';
import { TestNats } from '../../support/nats-server.ts';
import { EngineApi } from '../engine-api.ts';
import { secondsUntil } from '../measure.ts';
import { Probe } from '../probe/probe.ts';
import { endCoordinator, socketIn, startCoordinator } from './coordinator-process.ts';

const START_LIMIT_S = 300;
const LOG_INTERVAL_MS = 100;
const LINES_AT_ONCE = 10;
const STDOUT = 1;

export class BenchCluster {
  readonly api: EngineApi;
  readonly probe: Probe;
  private readonly nats: TestNats;
  private readonly coordinator: ChildProcess;
  private readonly nodes: readonly FakeNode[];
  private readonly pagesUrl: string;

  private constructor(parts: {
    nats: TestNats;
    coordinator: ChildProcess;
    probe: Probe;
    nodes: readonly FakeNode[];
    pagesUrl: string;
  }) {
    this.nats = parts.nats;
    this.coordinator = parts.coordinator;
    this.probe = parts.probe;
    this.nodes = parts.nodes;
    this.pagesUrl = parts.pagesUrl;
    this.api = new EngineApi(socketIn(parts.nats.stateDir));
  }

  static async up(nodeCount: number): Promise<BenchCluster> {
    const nats = await TestNats.start();
    const port = await freePort();
    const probeSocket = join(nats.stateDir, 'probe.sock');
    const coordinator = startCoordinator(nats.stateDir, port, probeSocket);
    try {
      const probe = await Probe.connect(probeSocket);
      const pagesUrl = `http://127.0.0.1:${port}`;
      await secondsUntil(() =>
        fetch(`${pagesUrl}/readyz`).then(
          (response) => response.ok,
          () => false,
        ),
      );
      const names = Array.from({ length: nodeCount }, (_, index) => `node-${index}`);
      const nodes = await Promise.all(names.map((name) => startNode(nats, name)));
      return new BenchCluster({ nats, coordinator, probe, nodes, pagesUrl });
    } catch (error) {
      await endCoordinator(coordinator);
      await nats.stop();
      throw error;
    }
  }

  async deploy(name: string, replicas: number): Promise<void> {
    const TaskTemplate = { ContainerSpec: { Image: 'plimsoll/sleep:1' } };
    await this.api.createService({ Name: name, TaskTemplate, Mode: { Replicated: { Replicas: replicas } } });
    const isRunning = async () => (await this.api.runningTasks(name)).length === replicas;
    await secondsUntil(isRunning, START_LIMIT_S);
  }

  async remove(name: string): Promise<void> {
    await this.api.call('DELETE', `/services/${name}`);
    const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
    await secondsUntil(
      async () => (await this.api.call<unknown[]>('GET', `/services?filters=${filters}`)).length === 0,
      START_LIMIT_S,
    );
  }

  /** One scrape as Prometheus makes it. */
  async scrape(): Promise<void> {
    const response = await fetch(`${this.pagesUrl}/metrics`);
    await response.text();
    if (!response.ok) throw new Error(`Cannot scrape the coordinator: ${response.status}`);
  }

  /** `docker service logs --follow` of one task, read until the signal aborts; answers the bytes that came. */
  async follow(service: string, signal: AbortSignal): Promise<number> {
    const [task] = await this.api.runningTasks(service);
    let bytes = 0;
    try {
      const path = `/tasks/${task?.ID}/logs?follow=1&stdout=1&stderr=1`;
      for await (const chunk of this.api.stream(path, signal)) bytes += chunk.length;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return bytes;
  }

  async down(): Promise<void> {
    this.probe.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.api.close();
    await endCoordinator(this.coordinator);
    await this.nats.stop();
  }
}

async function startNode(nats: TestNats, name: string): Promise<FakeNode> {
  const identity = await issueNodeIdentity(nats.cluster, derivedId('node', name));
  const connection = await nats.connect(identity, undefined, { waitForServer: true });
  const node = new FakeNode(name, connection, systemClock);
  connection.bus.answerStream(node.id, 'logs', LogsRequest, (_request, signal) => chatter(signal));
  await node.start();
  return node;
}

/** Ten lines every 100 ms, in Docker's frames. */
async function* chatter(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const line = Buffer.from(`${'x'.repeat(99)}\n`);
  const frame = Buffer.alloc(8 + line.length);
  frame.writeUInt8(STDOUT, 0);
  frame.writeUInt32BE(line.length, 4);
  line.copy(frame, 8);
  const frames = Buffer.concat(Array.from({ length: LINES_AT_ONCE }, () => frame));
  while (!signal.aborted) {
    yield frames;
    await delay(LOG_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}
