import { describe, expect, it, onTestFinished } from 'vitest';
import type { EngineEvent } from '../../../../agent/engine/engine.ts';
import { ContainerInventory, type HostEngine } from '../../../../agent/metrics/container-inventory.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** An engine with containers of other people, which counts what it is asked. */
class OtherPeoplesEngine implements HostEngine {
  readonly running = new Map<string, { pid: number; name: string }>();
  lists = 0;
  readonly inspected: string[] = [];
  refuses = false;
  /** Docker's own store tells where layers lie, containerd's does not. */
  imageStore: 'docker' | 'containerd' = 'docker';
  /** Called before an inspection is answered. */
  beforeAnswer: (id: string) => void = () => undefined;
  private onEvent: (event: EngineEvent) => void = () => undefined;
  private onEnd: () => void = () => undefined;

  async listRaw() {
    this.lists += 1;
    if (this.refuses) throw new Error('refused');
    return [...this.running].map(([Id, { name }]) => ({
      Id,
      Names: [`/${name}`],
      Image: 'postgres',
      ImageID: 'sha256:1',
      Created: 1_700_000_000,
      Labels: null,
    }));
  }

  async inspectRaw(id: string) {
    this.inspected.push(id);
    const run = this.running.get(id);
    this.beforeAnswer(id);
    if (!run) throw new Error('no such container');
    return {
      State: { Pid: run.pid, StartedAt: '2026-01-01T00:00:00Z', Health: { Status: 'starting' } },
      LogPath: `/docker/containers/${id}/${id}-json.log`,
      ...(this.imageStore === 'docker' ? { GraphDriver: { Data: { UpperDir: `/docker/overlay2/${id}/diff` } } } : {}),
    };
  }

  async allEvents(onEvent: (event: EngineEvent) => void, onEnd: () => void, signal: AbortSignal) {
    signal.addEventListener('abort', onEnd);
    this.onEvent = onEvent;
    this.onEnd = onEnd;
  }

  tell(action: string, containerId: string): void {
    this.onEvent({ action, containerId, attributes: {}, atMs: 0 });
  }

  hangUp(): void {
    this.onEnd();
  }
}

async function watched(isKnown: (id: string) => boolean = () => false) {
  const engine = new OtherPeoplesEngine();
  engine.running.set('db', { pid: 100, name: 'db' });
  const clock = new FakeClock();
  const inventory = new ContainerInventory({
    engine,
    clock,
    log: createLog('test', 'silent'),
    isKnown,
    mountsOf: (pid) => `1 2 0:3 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/snapshots/${pid}/fs,workdir=/b`,
    onEvent: () => undefined,
  });
  const ended = new AbortController();
  const done = inventory.watch(ended.signal);
  onTestFinished(async () => {
    ended.abort();
    await done;
  });
  await clock.advance(2_000);
  return { engine, clock, inventory };
}

describe('ContainerInventory', () => {
  it('tells the running containers of the host', async () => {
    const { inventory } = await watched();

    expect(inventory.containers()).toEqual([
      {
        id: 'db',
        name: 'db',
        image: 'postgres',
        imageId: 'sha256:1',
        labels: {},
        createdAtMs: 1_700_000_000_000,
        pid: 100,
        startedAtMs: Date.UTC(2026, 0, 1),
        health: 'starting',
        layerDirectories: ['/docker/overlay2/db/diff', '/docker/containers/db'],
      },
    ]);
  });

  it('finds the layer of a container by its mounts where the engine does not tell', async () => {
    const { engine, clock, inventory } = await watched();
    engine.imageStore = 'containerd';
    engine.running.set('cache', { pid: 200, name: 'cache' });
    engine.tell('start', 'cache');
    await clock.advance(2_000);

    const found = inventory.containers().find(({ id }) => id === 'cache');
    expect(found?.layerDirectories).toEqual(['/snapshots/200/fs', '/docker/containers/cache']);
  });

  it('asks the engine nothing while nothing changes', async () => {
    const { engine, clock } = await watched();
    const { lists } = engine;
    await clock.advance(50_000);

    expect(engine.lists).toBe(lists);
    expect(engine.inspected).toEqual(['db']);
  });

  it('lists again when a container comes, and inspects only that one', async () => {
    const { engine, clock, inventory } = await watched();
    engine.running.set('web', { pid: 200, name: 'web' });
    engine.tell('start', 'web');
    await clock.advance(2_000);

    expect(inventory.containers().map(({ pid }) => pid)).toEqual([100, 200]);
    expect(engine.inspected).toEqual(['db', 'web']);
  });

  it('finds the new process of a container that was restarted', async () => {
    const { engine, clock, inventory } = await watched();
    engine.running.set('db', { pid: 101, name: 'db' });
    engine.tell('die', 'db');
    engine.tell('start', 'db');
    await clock.advance(2_000);

    expect(inventory.containers()[0]?.pid).toBe(101);
  });

  it('finds the new process of a container that is restarted while it is asked for', async () => {
    const { engine, clock, inventory } = await watched();
    engine.running.set('web', { pid: 200, name: 'web' });
    engine.beforeAnswer = () => {
      engine.beforeAnswer = () => undefined;
      engine.running.set('web', { pid: 201, name: 'web' });
      engine.tell('start', 'web');
    };
    engine.tell('start', 'web');
    await clock.advance(4_000);

    expect(inventory.containers().map(({ pid }) => pid)).toEqual([100, 201]);
  });

  it('finds the new process of a container that is restarted while another one is asked for', async () => {
    const { engine, clock, inventory } = await watched();
    engine.running.set('web', { pid: 200, name: 'web' });
    engine.beforeAnswer = () => {
      engine.beforeAnswer = () => undefined;
      engine.running.set('db', { pid: 101, name: 'db' });
      engine.tell('start', 'db');
    };
    engine.tell('start', 'web');
    await clock.advance(4_000);

    expect(inventory.containers().map(({ pid }) => pid)).toEqual([101, 200]);
  });

  it('notes the health an event tells without asking', async () => {
    const { engine, inventory } = await watched();
    const { lists } = engine;
    engine.tell('health_status: unhealthy', 'db');

    expect(inventory.containers()[0]?.health).toBe('unhealthy');
    expect(engine.lists).toBe(lists);
  });

  it('does not inspect what is known otherwise', async () => {
    const { engine, inventory } = await watched((id) => id === 'db');

    expect(engine.inspected).toEqual([]);
    expect(inventory.containers()).toMatchObject([{ id: 'db', pid: undefined }]);
  });

  it('lists again after the events were cut off, whatever happened meanwhile', async () => {
    const { engine, clock, inventory } = await watched();
    engine.hangUp();
    engine.running.clear();
    await clock.advance(3_000);

    expect(inventory.containers()).toEqual([]);
  });

  it('keeps to what it knew while the engine does not answer', async () => {
    const { engine, clock, inventory } = await watched();
    engine.refuses = true;
    engine.tell('start', 'x');
    await clock.advance(10_000);

    expect(inventory.containers().map(({ id }) => id)).toEqual(['db']);
    expect(inventory.isCurrent).toBe(false);
    engine.refuses = false;
    await clock.advance(10_000);
    expect(inventory.isCurrent).toBe(true);
  });
});
