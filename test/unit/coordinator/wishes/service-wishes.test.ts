import { beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import type { Wishes } from '../../../../coordinator/wishes/wishes.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aSpec } from '../../../support/snapshots.ts';
import { wishesOn } from '../../../support/wishes.ts';

const publishing = (port: number | undefined, changes: Partial<ServiceSpec> = {}): ServiceSpec =>
  aSpec({
    EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: port, PublishMode: 'ingress' }] },
    ...changes,
  });

describe('service wishes', () => {
  const clock = new FakeClock();
  let server: MemoryServer;
  let connection: MemoryConnection;
  let store: Store;
  let wishes: Wishes;

  beforeEach(async () => {
    server = new MemoryServer({ clock });
    connection = server.connect();
    store = await openStore({ buckets: connection.buckets, clock });
    wishes = wishesOn(store, connection, clock);
  });

  const claimed = () =>
    [...server.store('plim_name').content('>')].filter((entry) => !entry.deleted).map((entry) => entry.key);
  const versionOf = (id: string) => store.snapshot().services.get(id)?.revision ?? 0;

  it('are visible when answered, and announced', async () => {
    const { id } = await wishes.services.create(aSpec());
    expect(store.snapshot().services.get(id)?.value).toMatchObject({
      spec: { Name: 'web' },
      revision: 1,
      change: 'create',
    });
    expect(server.events.map(({ subject }) => subject)).toEqual([`plim.event.service.${id}`]);
  });

  it('hold names without regard to case, and ports', async () => {
    await wishes.services.create(publishing(80));
    expect(claimed().sort()).toEqual(['port.tcp.80', 'service.web']);
    await expect(wishes.services.create(aSpec({ Name: 'WEB' }))).rejects.toMatchObject({ code: 'conflict' });
    await expect(wishes.services.create(publishing(80, { Name: 'b' }))).rejects.toThrow("port '80' is already in use");
    expect(claimed().sort()).toEqual(['port.tcp.80', 'service.web']);
  });

  it('of two coordinators never get the same port, though neither sees the other', async () => {
    const other = server.connect();
    const otherStore = await openStore({ buckets: other.buckets, clock });
    other.hold();
    await wishes.services.create(publishing(80));
    const second = wishesOn(otherStore, other, clock).services.create(publishing(80, { Name: 'b' }));
    await expect(second).rejects.toThrow("port '80' is already in use by service 'web'");
    await otherStore.close();
  });

  it('give back the ports an update no longer has, or that it failed to get', async () => {
    const { id } = await wishes.services.create(publishing(80));
    const version = versionOf(id);
    await wishes.services.update(id, publishing(81), version);
    expect(claimed().sort()).toEqual(['port.tcp.81', 'service.web']);
    await expect(wishes.services.update(id, publishing(82), version)).rejects.toThrow('update out of sequence');
    expect(claimed().sort()).toEqual(['port.tcp.81', 'service.web']);
  });

  it('give everything back at removal, at once, and once only', async () => {
    const { id } = await wishes.services.create(publishing(80));
    await wishes.services.remove(id);
    expect(store.snapshot().services.get(id)?.value.removedAtMs).toBeDefined();
    expect(claimed()).toEqual([]);
    await expect(wishes.services.remove(id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(wishes.services.update(id, aSpec(), versionOf(id))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('survive a lost acknowledgement: written is written', async () => {
    connection.loseAcknowledgements(1);
    const creating = wishes.services.create(aSpec());
    await clock.advance(10_000);
    const { id } = await creating;
    expect(store.snapshot().services.has(id)).toBe(true);
  });

  it('fail whole without a bus', async () => {
    connection.disconnect();
    await expect(wishes.services.create(aSpec())).rejects.toMatchObject({ code: 'unavailable' });
    expect(claimed()).toEqual([]);
  });

  it('go back to the tasks of any kept revision, and keep what else was changed since', async () => {
    const { id } = await wishes.services.create(aSpec({ Mode: { Replicated: { Replicas: 1 } } }));
    for (const [image, replicas] of [
      ['a:2', 2],
      ['a:3', 3],
    ] as const) {
      const changed = aSpec({
        TaskTemplate: { ContainerSpec: { Image: image } },
        Mode: { Replicated: { Replicas: replicas } },
      });
      await wishes.services.update(id, changed, versionOf(id));
    }

    await wishes.services.rollbackTo(id, 1);

    const record = store.snapshot().services.get(id)?.value;
    expect(record).toMatchObject({ revision: 1, change: 'rollback', spec: { Mode: { Replicated: { Replicas: 3 } } } });
    expect(record?.spec.TaskTemplate.ContainerSpec.Image).toBe(
      record?.revisions.at(-1)?.taskTemplate.ContainerSpec.Image,
    );
    await expect(wishes.services.rollbackTo(id, 1)).rejects.toThrow('service web is at revision 1');
    await expect(wishes.services.rollbackTo(id, 9)).rejects.toThrow('has no revision 9; kept are 2, 3, 1');
  });

  describe('that go back', () => {
    const image = { Image: 'a:1' };
    const file = { Name: 'pass', UID: '0', GID: '0', Mode: 0o400 };
    const secret = { SecretID: 'gone0secret00000000000000', SecretName: 'pass', File: file };

    /** A service whose first revision needs what is not there any more. */
    async function outlived(earlier: ServiceSpec): Promise<string> {
      const { id } = await wishes.services.create(aSpec());
      const entry = store.snapshot().services.get(id);
      if (!entry) throw new Error('no service');
      const record = {
        ...entry.value,
        revision: 2,
        revisions: [
          { number: 1, taskTemplate: earlier.TaskTemplate, createdAtMs: 0 },
          { number: 2, taskTemplate: entry.value.spec.TaskTemplate, createdAtMs: 0 },
        ],
        previousSpec: earlier,
      };
      await store.reached('services', await connection.buckets.services.update(id, record, entry.revision));
      return id;
    }

    it.each([
      ['secret', { ContainerSpec: { ...image, Secrets: [secret] } }, 'secret not found: pass'],
      ['network', { ContainerSpec: image, Networks: [{ Target: 'back' }] }, 'network back not found'],
    ])(
      'are refused where a %s they need is gone, before anything is written',
      async (_kind, TaskTemplate, sentence) => {
        const id = await outlived(aSpec({ TaskTemplate }));
        const version = versionOf(id);

        await expect(wishes.services.rollback(id, version)).rejects.toThrow(sentence);
        await expect(wishes.services.rollbackTo(id, 1)).rejects.toThrow(sentence);
        await expect(wishes.services.undoUpdate(id, version)).rejects.toThrow(sentence);

        expect(versionOf(id)).toBe(version);
      },
    );
  });

  it('say when start-first cannot be done', async () => {
    const volume = { Type: 'volume', Source: 'data', Target: '/data' } as const;
    const spec = aSpec({
      TaskTemplate: { ContainerSpec: { Image: 'a:1', Mounts: [volume] } },
      UpdateConfig: { Order: 'start-first' },
    });

    const { id, warnings } = await wishes.services.create(spec);

    expect(warnings).toEqual([
      'UpdateConfig.Order: start-first is done as stop-first, because it writes to the volume data',
    ]);
    expect((await wishes.services.update(id, spec, versionOf(id))).warnings).toEqual([]);
  });

  it('swap the specification with the one before it at a rollback, twice back again', async () => {
    const { id } = await wishes.services.create(aSpec());
    await expect(wishes.services.rollback(id, versionOf(id))).rejects.toThrow('does not have a previous spec');
    await wishes.services.update(id, aSpec({ TaskTemplate: { ContainerSpec: { Image: 'a:2' } } }), versionOf(id));
    const shown = () => {
      const { spec, revision, change } = store.snapshot().services.get(id)?.value ?? {};
      return [spec?.TaskTemplate.ContainerSpec.Image, revision, change];
    };
    expect(shown()).toEqual(['a:2', 2, 'update']);
    await wishes.services.rollback(id, versionOf(id));
    expect(shown()).toEqual(['a:1', 1, 'rollback']);
    await wishes.services.rollback(id, versionOf(id));
    expect(shown()).toEqual(['a:2', 2, 'rollback']);
  });

  it('take a failed update back though the service was scaled since, once and not to and fro', async () => {
    const replicas = (count: number) => ({ Mode: { Replicated: { Replicas: count } } });
    const image = (name: string) => ({ TaskTemplate: { ContainerSpec: { Image: name } } });
    const { id } = await wishes.services.create(aSpec({ ...image('a:1'), ...replicas(1) }));
    await wishes.services.update(id, aSpec({ ...image('a:2'), ...replicas(1) }), versionOf(id));
    await wishes.services.update(id, aSpec({ ...image('a:2'), ...replicas(5) }), versionOf(id));

    await wishes.services.undoUpdate(id, versionOf(id));

    expect(store.snapshot().services.get(id)?.value).toMatchObject({
      spec: { ...image('a:1'), ...replicas(5) },
      revision: 1,
      change: 'rollback',
    });
  });

  it('take no update back where there was none', async () => {
    const { id } = await wishes.services.create(aSpec());

    await expect(wishes.services.undoUpdate(id, versionOf(id))).rejects.toMatchObject({ code: 'precondition' });
  });

  it('take ingress ports without a warning: every node answers', async () => {
    expect((await wishes.services.create(publishing(80))).warnings).toEqual([]);
  });
});
