/** A coordinator as it is started for real, on a bus in memory, with one node that runs whatever it is told; for tests of scaling. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { startCoordinator } from '../../coordinator/coordinator.ts';
import type { CoordinatorParts } from '../../coordinator/coordinator-parts.ts';
import { CoordinatorSettings } from '../../coordinator/settings.ts';
import { AutoscaleView } from '../../model/autoscale-view.ts';
import { systemClock } from '../../runtime/clock.ts';
import { coordinatorParts } from './coordinator-parts.ts';
import { eventually } from './eventually.ts';
import { FakeNode } from './fake-node.ts';
import { MemoryServer } from './memory-bus.ts';

const TIMEOUT_MS = 60_000;

export interface LoneCoordinator {
  /** Of its HTTP server. */
  readonly url: string;
  /** Over its socket; the answer's JSON. Throws for what is refused. */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  /** A service of replicas that do nothing, with these labels. */
  createService(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Its metrics. */
  page(): Promise<string>;
  /** A service that scales itself, once it is as wanted. */
  viewWith(service: string, what: string, isIt: (view: AutoscaleView) => boolean): Promise<AutoscaleView>;
  /** Once it wants so many replicas and all are ready. */
  replicasBecome(service: string, count: number): Promise<AutoscaleView>;
  stop(): Promise<void>;
}

/** `parts`: what it is to have beside or in place of the usual ones. */
export async function startLoneCoordinator(parts: Partial<CoordinatorParts>): Promise<LoneCoordinator> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-lone-coordinator-'));
  const socket = join(folder, 'docker.sock');
  const server = new MemoryServer({ clock: systemClock });
  const node = new FakeNode('h1', server.connect('h1'), systemClock);
  const settings = CoordinatorSettings.parse({ stateDir: folder, socket, listen: '127.0.0.1', port: 0 });
  const running = await startCoordinator(settings, { ...coordinatorParts(async () => server.connect('c1')), ...parts });
  const api = new Client('http://docker', { socketPath: socket });
  await node.start();
  const stop = async () => {
    await api.close();
    await running.stop();
    await node.stop();
    rmSync(folder, { recursive: true });
  };
  const url = `http://127.0.0.1:${running.port}`;
  return { url, stop, page: async () => (await fetch(`${url}/metrics`)).text(), ...callsOf(api) };
}

function callsOf(api: Client): Omit<LoneCoordinator, 'url' | 'page' | 'stop'> {
  const call: LoneCoordinator['call'] = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await api.request({ method, path, headers, body: text });
    const answer = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`);
    return JSON.parse(answer);
  };
  const viewWith: LoneCoordinator['viewWith'] = (service, what, isIt) => {
    const look = async () => {
      const view = AutoscaleView.parse(await call('GET', `/v1/autoscale/${service}`));
      if (!isIt(view)) throw new Error(JSON.stringify(view));
      return view;
    };
    return eventually(look, { timeoutMs: TIMEOUT_MS, intervalMs: 100, what });
  };
  return {
    call,
    viewWith,
    createService: async (Name, Labels) => {
      const TaskTemplate = { ContainerSpec: { Image: 'plimsoll/sleep:1' } };
      await call('POST', '/v1.41/services/create', { Name, Labels, TaskTemplate });
    },
    replicasBecome: (service, count) => {
      const isReached = ({ replicas, ready }: AutoscaleView) => replicas === count && ready === count;
      return viewWith(service, `${count} replicas, all ready`, isReached);
    },
  };
}
