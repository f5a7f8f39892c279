/** Secrets and configs on a real engine: what a container sees, what lies on the disk, what stays after it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { sealFor } from '../../../bus/identity/sealing.ts';
import { subjects } from '../../../bus/subjects.ts';
import { PayloadRequest } from '../../../model/payload.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

const SECRET = 'tops3cret-of-this-test';

let engine: PrivateEngine;
let lab: AgentOnMemoryBus;
let isServed: boolean;

beforeAll(async () => {
  engine = await startPrivateEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  isServed = true;
  lab = await AgentOnMemoryBus.create(engine.address);
  lab.leader.bus.respond(subjects.payloads('*'), PayloadRequest, async ({ id, publicKey }) => {
    if (!isServed) throw new Error('the test said that nobody answers');
    const isTemplate = id === 'config1';
    const content = isTemplate ? 'slot={{.Task.Slot}} pw={{secret "pw"}}' : SECRET;
    return { name: id, isTemplate, ...sealFor(publicKey, Buffer.from(content)) };
  });
});
afterEach(() => lab.dispose());

function secretive(): TaskRecord {
  const owner = { UID: '11', GID: '12', Mode: 0o400 };
  return aTask({
    container: {
      Secrets: [{ SecretID: 'secret1', SecretName: 'pw', File: { ...owner, Name: 'pw' } }],
      Configs: [
        { ConfigID: 'config1', ConfigName: 'c', File: { Name: '/etc/app.conf', UID: '0', GID: '0', Mode: 0o444 } },
      ],
    },
  });
}

const inContainer = (id: string | undefined, ...words: string[]) => engine.docker('exec', id ?? '', ...words);

it('a task sees its files, owned and read-only; nothing of them is on the disk in clear; they go with it', async () => {
  const task = secretive();
  await lab.start();
  await lab.assign(task);
  const { containerId } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');

  expect(await inContainer(containerId, 'cat', '/run/secrets/pw')).toBe(SECRET);
  expect(await inContainer(containerId, 'cat', '/etc/app.conf')).toBe(`slot=1 pw=${SECRET}`);
  expect(await engine.docker('inspect', containerId ?? '', '--format', '{{range .Mounts}}{{.RW}} {{end}}')).toBe(
    'false false',
  );
  const files = join(lab.filesDir, task.id);
  expect((await stat(lab.filesDir)).mode & 0o777).toBe(0o700);
  expect(await stat(join(files, '0'))).toMatchObject({ uid: 11, gid: 12, mode: 0o100400 });
  expect(await stat(join(files, '1'))).toMatchObject({ uid: 0, gid: 0, mode: 0o100444 });
  const kept = await readFile(join(lab.stateDir, 'node', 'payloads.json'), 'utf8');
  expect(kept).not.toContain(SECRET);
  expect(kept).not.toContain(Buffer.from(SECRET).toString('base64'));

  await lab.assign({ ...task, desired: 'stopped' });
  await lab.statusWhere(task, ({ removed }) => removed, 'the task is removed');
  await eventually(async () => (await readdir(lab.filesDir)).length === 0, { what: 'its files to be gone' });
});

it('an agent that starts anew adopts the task with its files', async () => {
  const task = secretive();
  await lab.start();
  await lab.assign(task);
  const { containerId } = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
  await lab.stopAgent();
  await lab.start();
  await lab.statusWhere(task, ({ incarnation, ready }) => incarnation === 2 && ready, 'the task is adopted');

  expect(await inContainer(containerId, 'cat', '/run/secrets/pw')).toBe(SECRET);
});

it('a host that comes back without the cluster writes them again from what it kept sealed', async () => {
  const task = secretive();
  await lab.start();
  await lab.assign(task);
  const first = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
  await lab.stopAgent();
  isServed = false;
  await engine.docker('kill', first.containerId ?? '');
  await lab.forgetFiles();
  await lab.start();
  const second = await lab.statusWhere(task, ({ attempt, ready }) => attempt === 2 && ready, 'it runs again');

  expect(await inContainer(second.containerId, 'cat', '/run/secrets/pw')).toBe(SECRET);
});
