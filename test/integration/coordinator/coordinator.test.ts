/** A whole coordinator on the bus in memory with nodes that only report: from the Engine API to assignments and back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningCoordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { CoordinatorSettings } from '../../../coordinator/settings.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { coordinatorParts } from '../../support/coordinator-parts.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { MemoryServer } from '../../support/memory-bus.ts';

let folder: string;
let server: MemoryServer;
let nodes: FakeNode[];
let running: RunningCoordinator[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-coordinator-'));
  server = new MemoryServer({ clock: systemClock });
  nodes = [];
  running = [];
});

afterEach(async () => {
  for (const coordinator of running) await coordinator.stop();
  for (const node of nodes) await node.stop();
  rmSync(folder, { recursive: true });
});

async function coordinator(name: string): Promise<RunningCoordinator & { api: Client }> {
  const socket = join(folder, `${name}.sock`);
  const settings = CoordinatorSettings.parse({ stateDir: folder, socket, listen: '127.0.0.1', port: 0 });
  const parts = coordinatorParts(async () => server.connect(name));
  const started = await startCoordinator(settings, parts);
  running.push(started);
  return { ...started, api: new Client('http://docker', { socketPath: socket }) };
}

async function startNodes(...names: string[]): Promise<void> {
  for (const name of names) {
    const node = new FakeNode(name, server.connect(name), systemClock);
    nodes.push(node);
    await node.start();
  }
}

async function call(api: Client, method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
  const response = await api.request({
    method,
    path,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const web = (replicas: number) => ({
  Name: 'web',
  TaskTemplate: { ContainerSpec: { Image: 'plimsoll/sleep:1' } },
  Mode: { Replicated: { Replicas: replicas } },
});

async function runningTasks(): Promise<{ slot: number; nodeId: string; id: string }[]> {
  const view = await server.connect('observer').buckets.tasks.watch();
  const tasks = [...view.entries.values()].map((entry) => entry.value).filter((task) => task.desired === 'running');
  await view.close();
  return tasks;
}

test('a service created through the Engine API becomes assignments, and goes when it is removed', async () => {
  await startNodes('h1', 'h2', 'h3');
  const { api } = await coordinator('c1');

  const created = await call(api, 'POST', '/v1.41/services/create', web(6));
  const tasks = await eventually(async () => {
    const found = await runningTasks();
    return found.length === 6 ? found : undefined;
  });
  expect(
    tasks
      .map((task) => task.nodeId)
      .sort()
      .filter((id, index, all) => id !== all[index - 1]),
  ).toHaveLength(3);

  await call(api, 'DELETE', `/v1.41/services/${(created as { ID: string }).ID}`);
  await eventually(async () => (await runningTasks()).length === 0);
  const observer = server.connect('observer').buckets;
  await eventually(async () => (await observer.services.watch()).entries.size === 0);
  expect((await observer.slots.watch()).entries.size).toBe(0);
});

test('a silent node is lost after probes, its tasks get stand-ins, and events tell why', async () => {
  await startNodes('h1', 'h2', 'h3');
  const { api, isLeading } = await coordinator('c1');
  await eventually(isLeading);
  await call(api, 'POST', '/v1.41/services/create', web(3));
  await eventually(async () => (await runningTasks()).length === 3);

  await nodes[2]?.stop();
  await eventually(async () => (await runningTasks()).length === 4, { timeoutMs: 30_000 });

  const lost = server.events.map(({ message }) => message as { kind: string; attributes: Record<string, string> });
  expect(lost.some(({ kind, attributes }) => kind === 'node' && attributes['state.new'] === 'lost')).toBe(true);
  expect(lost.some(({ attributes }) => attributes.reason === 'stands in for a task on lost node h3')).toBe(true);
});

test('a second coordinator takes over and doubles nothing', async () => {
  await startNodes('h1', 'h2');
  const first = await coordinator('c1');
  const second = await coordinator('c2');
  const leader = await eventually(() => [first, second].find(({ isLeading }) => isLeading()));
  const follower = leader === first ? second : first;
  await call(follower.api, 'POST', '/v1.41/services/create', web(4));
  await eventually(async () => (await runningTasks()).length === 4);
  const before = (await runningTasks()).map((task) => task.id).sort();

  await leader.stop();
  await eventually(() => follower.isLeading());
  await call(follower.api, 'POST', '/v1.41/services/create', { ...web(2), Name: 'api' });
  await eventually(async () => (await runningTasks()).length === 6);

  expect(
    (await runningTasks())
      .map((task) => task.id)
      .filter((id) => before.includes(id))
      .sort(),
  ).toEqual(before);
});
