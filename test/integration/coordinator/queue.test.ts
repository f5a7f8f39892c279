/** A real NATS server with a real stream and consumer, and a coordinator that scales a service by what waits there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queuesAt } from '../../../coordinator/autoscale/queues.ts';
import { type RunningCoordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { CoordinatorSettings } from '../../../coordinator/settings.ts';
import { AutoscaleView } from '../../../model/autoscale-view.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { coordinatorParts } from '../../support/coordinator-parts.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { MemoryServer } from '../../support/memory-bus.ts';
import { type QueueServer, startQueueServer } from '../../support/queue-server.ts';

const TIMEOUT_MS = 60_000;
const [stream, consumer] = ['JOBS', 'workers'];

describe('a queue of a real NATS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-queue-scaling-'));
  const server = new MemoryServer({ clock: systemClock });
  const node = new FakeNode('h1', server.connect('h1'), systemClock);
  let queue: QueueServer;
  let running: RunningCoordinator;
  let api: Client;

  beforeAll(async () => {
    queue = await startQueueServer(stream, consumer);
    const socket = join(folder, 'docker.sock');
    running = await startCoordinator(
      CoordinatorSettings.parse({ stateDir: folder, socket, listen: '127.0.0.1', port: 0 }),
      { ...coordinatorParts(async () => server.connect('c1')), queues: queuesAt(queue.monitoringUrl, systemClock) },
    );
    api = new Client('http://docker', { socketPath: socket });
    await node.start();
    const Labels = {
      'plimsoll.autoscale.min': '0',
      'plimsoll.autoscale.max': '6',
      'plimsoll.autoscale.nats.stream': stream,
      'plimsoll.autoscale.nats.consumer': consumer,
      'plimsoll.autoscale.nats.lag': '10',
      'plimsoll.autoscale.down-window': '0s',
    };
    const TaskTemplate = { ContainerSpec: { Image: 'plimsoll/sleep:1' } };
    await call('POST', '/v1.41/services/create', { Name: 'worker', Labels, TaskTemplate });
  });

  afterAll(async () => {
    await api?.close();
    await running?.stop();
    await node.stop();
    await queue?.stop();
    rmSync(folder, { recursive: true });
  });

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await api.request({ method, path, headers, body: text });
    const answer = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`);
    return JSON.parse(answer);
  }

  async function viewWith(what: string, accept: (view: AutoscaleView) => boolean): Promise<AutoscaleView> {
    const look = async () => {
      const view = AutoscaleView.parse(await call('GET', '/v1/autoscale/worker'));
      if (!accept(view)) throw new Error(JSON.stringify(view));
      return view;
    };
    return eventually(look, { timeoutMs: TIMEOUT_MS, intervalMs: 100, what });
  }
  const replicasBecome = (count: number) =>
    viewWith(`${count} replicas, all ready`, ({ replicas, ready }) => replicas === count && ready === count);

  it('scales a service to zero while nothing waits, and wakes it as deep as the queue is', async () => {
    await replicasBecome(0);
    await queue.publish(35);
    const view = await replicasBecome(4);
    expect(view.reason).toMatch(/35/);
  });

  it('counts what is delivered and not acknowledged, and shrinks the service as work is done', async () => {
    const acknowledge = await queue.take(30);
    expect(await queuesAt(queue.monitoringUrl, systemClock).lag({ stream, consumer })).toEqual({ value: 35 });
    await acknowledge();
    await replicasBecome(1);
  });

  it('holds the count when the consumer is gone, and says why', async () => {
    await queue.removeConsumer();
    const blind = await viewWith('the autoscaler to be blind', ({ condition }) => condition === 'blind');
    expect(blind.reason).toContain('NATS has no consumer workers of a stream JOBS');
    expect(blind.replicas).toBe(1);
  });
});
