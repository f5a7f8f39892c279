import { beforeEach, describe, expect, it } from 'vitest';
import type { Buckets } from '../../../../bus/buckets.ts';
import { createSealingKeys, openSealed } from '../../../../bus/identity/sealing.ts';
import { secretId } from '../../../../coordinator/api/native/secret-routes.ts';
import { payloadFor } from '../../../../coordinator/payloads/payload-service.ts';
import { openStore, type Store } from '../../../../coordinator/store/store.ts';
import type { Wishes } from '../../../../coordinator/wishes/wishes.ts';
import type { PayloadRecord } from '../../../../model/payload.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aSpec } from '../../../support/snapshots.ts';
import { aTask } from '../../../support/tasks.ts';
import { testVault, wishesOn } from '../../../support/wishes.ts';

const spec = (Name: string) => ({ Name, Labels: {} });
const text = (words: string) => Buffer.from(words);

const isOf = (name: string) => (secret: PayloadRecord) => secret.spec.Name.split('.')[0] === name;

/** Buckets whose writer dies: so many writes of all of them together still get in. */
function breakingAfter(writes: number, buckets: Buckets): Buckets {
  let left = writes;
  const dying = <T extends object>(bucket: T): T =>
    new Proxy(bucket, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (name !== 'create' && name !== 'update' && name !== 'delete') return member.bind(target);
        return (...words: unknown[]) => {
          left -= 1;
          if (left < 0) return Promise.reject(new Error('the writer died'));
          return member.apply(target, words);
        };
      },
    });
  const all = Object.entries(buckets).map(([name, bucket]) => [
    name,
    typeof bucket === 'object' && bucket !== null ? dying(bucket) : bucket,
  ]);
  return Object.fromEntries(all) as Buckets;
}

describe('secrets and configs', () => {
  const clock = new FakeClock();
  let server: MemoryServer;
  let connection: MemoryConnection;
  let store: Store;
  let wishes: Wishes;

  beforeEach(async () => {
    server = new MemoryServer({ clock });
    connection = server.connect();
    store = await openStore({ buckets: connection.buckets, clock });
    wishes = wishesOver(connection.buckets);
  });

  const wishesOver = (buckets: Buckets): Wishes => wishesOn(store, { buckets, bus: connection.bus }, clock);

  const using = (id: string, name: string): ServiceSpec =>
    aSpec({
      TaskTemplate: {
        ContainerSpec: {
          Image: 'a:1',
          Secrets: [{ SecretID: id, SecretName: name, File: { Name: 'x', UID: '0', GID: '0', Mode: 0o444 } }],
        },
      },
    });
  const versionOf = (kind: 'secrets' | 'configs', id: string) => store.snapshot()[kind].get(id)?.revision ?? 0;

  it('are written sealed', async () => {
    const id = await wishes.payloads.secret.create(spec('pw'), text('hush hush'));
    const stored = [...server.store('plim_spec').content('>')].map((entry) => entry.data).join();

    expect(stored).toContain(`"id":"${id}"`);
    expect(stored).not.toContain('hush hush');
    expect(stored).not.toContain(text('hush hush').toString('base64'));
  });

  it.each([
    ['secret', spec('pw'), 0, 'secret data must be larger than 0 and less than 512000 bytes'],
    ['secret', spec('pw'), 512_000, 'secret data must be larger than 0 and less than 512000 bytes'],
    ['config', spec('pw'), 1_024_000, 'config data must be larger than 0 and less than 1024000 bytes'],
    ['config', spec('-pw'), 1, 'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed'],
    ['secret', spec('p'.repeat(65)), 1, 'invalid name, only 64'],
  ] as const)('%s %j of %i bytes is refused', async (kind, wanted, bytes, sentence) => {
    await expect(wishes.payloads[kind].create(wanted, Buffer.alloc(bytes, 'x'))).rejects.toThrow(sentence);
    expect(store.snapshot()[`${kind}s`].size).toBe(0);
  });

  it('may be as large as Swarm lets them be', async () => {
    await wishes.payloads.secret.create(spec('big'), Buffer.alloc(511_999, 'x'));
    await wishes.payloads.config.create(spec('big'), Buffer.alloc(1_023_999, 'x'));

    expect([store.snapshot().secrets.size, store.snapshot().configs.size]).toEqual([1, 1]);
  });

  it('have names of their own, without regard to case', async () => {
    await wishes.payloads.secret.create(spec('pw'), text('1'));
    await wishes.payloads.config.create(spec('pw'), text('1'));
    await expect(wishes.payloads.secret.create(spec('PW'), text('2'))).rejects.toThrow('secret PW already exists');
  });

  it('change their labels only', async () => {
    const id = await wishes.payloads.config.create(spec('c'), text('1'));
    const relabelled = { Name: 'c', Labels: { a: 'b' } };
    await wishes.payloads.config.relabel(id, relabelled, text('1'), versionOf('configs', id));
    expect(store.snapshot().configs.get(id)?.value.spec.Labels).toEqual({ a: 'b' });

    const change = wishes.payloads.config.relabel(id, relabelled, text('2'), versionOf('configs', id));
    await expect(change).rejects.toThrow('only updates to Labels are allowed');
    const stale = wishes.payloads.config.relabel(id, relabelled, undefined, versionOf('configs', id) - 1);
    await expect(stale).rejects.toThrow('update out of sequence');
  });

  it('stay while a service uses them', async () => {
    const id = await wishes.payloads.secret.create(spec('pw'), text('1'));
    const { id: service } = await wishes.services.create(using(id, 'pw'));
    await expect(wishes.payloads.secret.remove(id)).rejects.toThrow(
      "secret 'pw' is in use by the following service: web",
    );

    await wishes.services.remove(service);
    await wishes.payloads.secret.remove(id);
    await wishes.payloads.secret.create(spec('pw'), text('again'));
  });

  it('must be there when a service asks for them', async () => {
    await expect(wishes.services.create(using('x', 'nope'))).rejects.toThrow('secret not found: nope');
    expect(store.snapshot().services.size).toBe(0);
  });

  it('are rotated under their name, and their services rolled', async () => {
    const first = await wishes.payloads.secret.create(spec('pw'), text('old'));
    const { id: service } = await wishes.services.create(using(first, 'pw'));
    const rotation = await wishes.payloads.secret.rotate(first, text('new'));

    expect(rotation).toMatchObject({ version: 2, formerName: 'pw.v1', services: ['web'] });
    const { secrets, services } = store.snapshot();
    expect(secrets.get(first)?.value.spec.Name).toBe('pw.v1');
    expect(secrets.get(rotation.id)?.value).toMatchObject({ version: 2, spec: { Name: 'pw' } });
    const record = services.get(service)?.value;
    expect(record?.revision).toBe(2);
    expect(record?.spec.TaskTemplate.ContainerSpec.Secrets).toMatchObject([
      { SecretID: rotation.id, SecretName: 'pw', File: { Name: 'x' } },
    ]);

    const second = await wishes.payloads.secret.rotate(rotation.id, text('newer'));
    expect(second).toMatchObject({ version: 3, formerName: 'pw.v2' });
    await expect(wishes.payloads.secret.create(spec('pw'), text('x'))).rejects.toThrow('already exists');
  });

  it.each(['new', 'newest'])(
    'go on where a rotation broke off, whatever was written by then, with %s',
    async (then) => {
      let isWhole = false;
      let steps = 0;
      for (; !isWhole; steps += 1) {
        const name = `pw-${steps}`;
        const first = await wishes.payloads.secret.create(spec(name), text('old'));
        const { id: service } = await wishes.services.create({ ...using(first, name), Name: `web-${steps}` });
        const broken = wishesOver(breakingAfter(steps, connection.buckets));
        isWhole = await broken.payloads.secret.rotate(first, text('new')).then(
          () => true,
          () => false,
        );
        if (!isWhole) await wishes.payloads.secret.rotate(secretId(store.snapshot(), name), text(then));

        const versions = [...store.snapshot().secrets.values()].map(({ value }) => value).filter(isOf(name));
        const [current] = versions.filter((secret) => secret.spec.Name === name);
        const last = isWhole ? 'new' : then;
        expect(String(current && wishes.payloads.secret.content(current))).toBe(last);
        // What was never begun is not there: the content of the first try may have got no further than its maker.
        expect([2, last === 'new' ? 2 : 3]).toContain(current?.version);
        expect(versions.map(({ spec: { Name } }) => Name).sort()).toEqual(
          [name, `${name}.v1`, `${name}.v2`].slice(0, current?.version),
        );
        expect(versions.filter(({ successor }) => successor)).toEqual([]);
        const used = store.snapshot().services.get(service)?.value.spec.TaskTemplate.ContainerSpec.Secrets;
        expect(used).toMatchObject([{ SecretID: current?.id, SecretName: name }]);
        await expect(wishes.payloads.secret.create(spec(name), text('x'))).rejects.toThrow('already exists');
      }
      expect(steps).toBeGreaterThan(6);
    },
  );

  it('are not removed with the only copy of what follows them', async () => {
    const first = await wishes.payloads.secret.create(spec('pw'), text('old'));
    // The claim of the former name, then the intent: nothing more.
    const broken = wishesOver(breakingAfter(2, connection.buckets));
    await broken.payloads.secret.rotate(first, text('new')).catch(() => undefined);

    await expect(wishes.payloads.secret.remove(first)).rejects.toThrow('run "plim secret rotate pw" again');
    await expect(wishes.payloads.secret.create(spec('pw'), text('x'))).rejects.toThrow('already exists');
  });

  it('go to the nodes of their tasks alone, sealed for each', async () => {
    const id = await wishes.payloads.secret.create(spec('pw'), text('hush'));
    const task = aTask({ template: using(id, 'pw').TaskTemplate });
    const withSecret = { ...task, template: using(id, 'pw').TaskTemplate };
    await connection.buckets.tasks.create(`${task.nodeId}.${task.id}`, withSecret);
    const rewrite = async (record: TaskRecord, change: Partial<TaskRecord>) => {
      const key = `${record.nodeId}.${record.id}`;
      const before = await connection.buckets.tasks.get(key);
      const written = await connection.buckets.tasks.update(key, { ...record, ...change }, before?.revision ?? 0);
      await store.reached('tasks', written);
    };
    const keys = createSealingKeys();
    const ask = (nodeId: string, wanted: string) =>
      payloadFor({ snapshot: () => store.snapshot(), vault: testVault }, nodeId, {
        taskId: task.id,
        kind: 'secret',
        id: wanted,
        publicKey: keys.publicKey,
      });

    expect(String(Buffer.from(openSealed(keys.seed, ask(task.nodeId, id))))).toBe('hush');
    expect(() => ask(randomId(), id)).toThrow(/is not on node/);
    const other = await wishes.payloads.secret.create(spec('other'), text('1'));
    expect(() => ask(task.nodeId, other)).toThrow(/does not refer to/);
    // Who gets tasks by saying that it runs them, or is only to stop them, gets nothing.
    await rewrite(withSecret, { claimed: true });
    expect(() => ask(task.nodeId, id)).toThrow(/the node said it ran it/);
    await rewrite(withSecret, { desired: 'stopped' });
    expect(() => ask(task.nodeId, id)).toThrow(/is to stop/);
  });
});
