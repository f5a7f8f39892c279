/** An engine in memory: containers start at once and run until the test ends them. */
import type { ContainerRequest } from '../../agent/container-spec.ts';
import type { Engine, EngineDescription, EngineEvent } from '../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../agent/plan/observed-container.ts';
import { containerLabels } from '../../model/labels.ts';
import { PlimsollError } from '../../runtime/errors.ts';

const DESCRIPTION: EngineDescription = {
  version: '28.5.2',
  apiVersion: '1.51',
  os: 'linux',
  architecture: 'x86_64',
  hostname: 'fake',
  labels: {},
  plugins: [],
  liveRestore: true,
  loggingDriver: 'json-file',
  rootDir: '/nowhere',
  cpus: 2,
  memoryBytes: 2 ** 30,
};

export class FakeEngine implements Engine {
  readonly containers = new Map<string, ObservedContainer>();
  /** What was asked of it, in order: `create web.1`, `start ...`. */
  readonly calls: string[] = [];
  /** While set, every call fails with it. */
  failure: PlimsollError | undefined;
  private listener: ((event: EngineEvent) => void) | undefined;
  private made = 0;

  /** Ends a running container as the kernel would. */
  exit(containerId: string, exitCode: number): void {
    this.change(containerId, { phase: 'exited', exitCode, finishedAtMs: 1, pid: undefined, address: undefined });
    this.emit('die', containerId);
  }

  change(containerId: string, change: Partial<ObservedContainer>): void {
    const container = this.containers.get(containerId);
    if (container) this.containers.set(containerId, { ...container, ...change });
  }

  async ping(): Promise<void> {
    this.note('ping');
  }

  async describe(): Promise<EngineDescription> {
    this.note('describe');
    return DESCRIPTION;
  }

  async listOwn(clusterId: string): Promise<ObservedContainer[]> {
    this.note('list');
    return [...this.containers.values()].filter((container) => container.labels[containerLabels.cluster] === clusterId);
  }

  async look(_clusterId: string, idOrName: string): Promise<ObservedContainer | undefined> {
    this.note('look');
    return this.containers.get(idOrName) ?? [...this.containers.values()].find(({ name }) => name === idOrName);
  }

  async listRaw(): Promise<Record<string, unknown>[]> {
    return [];
  }

  async inspectRaw(): Promise<Record<string, unknown>> {
    throw new PlimsollError('not-found', 'No such container');
  }

  async create({ name, body }: ContainerRequest): Promise<string> {
    this.note(`create ${name}`);
    const labels = body.Labels as Record<string, string>;
    this.made += 1;
    const id = `container-${this.made}`;
    this.containers.set(id, {
      id,
      name,
      labels,
      taskId: labels[containerLabels.task] ?? '',
      serviceId: labels[containerLabels.service] ?? '',
      slot: Number(labels[containerLabels.slot]),
      revision: Number(labels[containerLabels.revision]),
      attempt: Number(labels[containerLabels.attempt]),
      image: String(body.Image),
      phase: 'created',
      health: 'none',
      pid: undefined,
      address: undefined,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAtMs: undefined,
      finishedAtMs: undefined,
    });
    return id;
  }

  async start(containerId: string): Promise<void> {
    this.note(`start ${containerId}`);
    this.change(containerId, { phase: 'running', pid: 1, address: '172.17.0.2', startedAtMs: 1 });
  }

  async stop(containerId: string): Promise<void> {
    this.note(`stop ${containerId}`);
    this.change(containerId, { phase: 'exited', exitCode: 143, finishedAtMs: 1, pid: undefined, address: undefined });
  }

  async remove(containerId: string): Promise<void> {
    this.note(`remove ${containerId}`);
    this.containers.delete(containerId);
  }

  async hasImage(): Promise<boolean> {
    return true;
  }

  async pull(reference: string): Promise<void> {
    this.note(`pull ${reference}`);
  }

  async removeImage(reference: string): Promise<void> {
    this.note(`remove image ${reference}`);
  }

  async events(_clusterId: string, onEvent: (event: EngineEvent) => void): Promise<void> {
    this.listener = onEvent;
  }

  // biome-ignore lint/correctness/useYield: a container without output
  async *logs(): AsyncGenerator<Uint8Array> {
    this.note('logs');
  }

  // biome-ignore lint/correctness/useYield: nothing is measured here
  async *stats(): AsyncGenerator<Uint8Array> {
    this.note('stats');
  }

  private emit(action: string, containerId: string): void {
    const attributes = this.containers.get(containerId)?.labels ?? {};
    this.listener?.({ action, containerId, attributes, atMs: 1 });
  }

  private note(call: string): void {
    if (this.failure) throw this.failure;
    this.calls.push(call);
  }
}
