import { beforeEach, describe, expect, it } from 'vitest';
import { PayloadSource } from '../../../../agent/files/payload-source.ts';
import { createTaskFiles } from '../../../../agent/files/task-files.ts';
import type { FileOwner, VolatileFolder } from '../../../../agent/files/volatile-folder.ts';
import { sealFor } from '../../../../bus/identity/sealing.ts';
import type { PayloadRequest } from '../../../../model/payload.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { PlimsollError } from '../../../../runtime/errors.ts';
import { createLog } from '../../../../runtime/log.ts';
import type { TemplateWords } from '../../../../runtime/task-template.ts';
import { aTask } from '../../../support/tasks.ts';

const words: TemplateWords = {
  service: { id: 's', name: 'web', labels: {} },
  node: { id: 'n', hostname: 'h1', os: 'linux', architecture: 'x86_64', labels: {} },
  task: { id: 't', name: 'web.2.t', slot: '2' },
};

class FolderInMemory implements VolatileFolder {
  readonly files = new Map<string, { text: string; owner: FileOwner }>();

  async write(taskId: string, name: string, content: Uint8Array, owner: FileOwner): Promise<string> {
    this.files.set(`${taskId}/${name}`, { text: Buffer.from(content).toString(), owner });
    return `/files/${taskId}/${name}`;
  }

  async remove(taskId: string): Promise<void> {
    for (const path of this.files.keys()) if (path.startsWith(`${taskId}/`)) this.files.delete(path);
  }

  async tasks(): Promise<string[]> {
    return [...new Set([...this.files.keys()].map((path) => path.slice(0, path.indexOf('/'))))];
  }
}

describe('files of tasks', () => {
  const cluster = new Map<string, { text: string; isTemplate: boolean }>();
  let disk: Map<string, string>;
  let folder: FolderInMemory;
  let asked: PayloadRequest[];
  let isAway: boolean;

  beforeEach(() => {
    cluster.clear();
    cluster.set('secret.one', { text: 'hush', isTemplate: false });
    cluster.set('config.two', {
      text: '{{.Task.Slot}} {{secret "password"}} {{env "MODE"}} {{config "plain"}}',
      isTemplate: true,
    });
    cluster.set('config.three', { text: 'open', isTemplate: false });
    disk = new Map();
    folder = new FolderInMemory();
    asked = [];
    isAway = false;
  });

  /** As an agent that was just started. */
  function taskFiles() {
    const ask = async (request: PayloadRequest) => {
      asked.push(request);
      const found = cluster.get(`${request.kind}.${request.id}`);
      if (isAway) throw new PlimsollError('unavailable', 'no connection to NATS');
      if (!found) throw new PlimsollError('not-found', `${request.kind} ${request.id} not found`);
      const sealed = sealFor(request.publicKey, Buffer.from(found.text));
      return { name: request.id, isTemplate: found.isTemplate, ...sealed };
    };
    const files = {
      read: async (path: string) => JSON.parse(disk.get(path) ?? 'null') ?? undefined,
      write: async (path: string, content: unknown) => void disk.set(path, JSON.stringify(content)),
    };
    const source = new PayloadSource({ files, stateDir: '/state', log: createLog('test', 'silent'), ask });
    return createTaskFiles(source, folder);
  }

  function task(changes: Partial<TaskRecord['template']['ContainerSpec']>): TaskRecord {
    const task = aTask();
    return { ...task, template: { ...task.template, ContainerSpec: { ...task.template.ContainerSpec, ...changes } } };
  }

  const secret = (id: string, target: string, owner = { UID: '0', GID: '0', Mode: 0o444 }) => ({
    SecretID: id,
    SecretName: id,
    File: { Name: target, ...owner },
  });
  const config = (id: string, target: string) => ({
    ConfigID: id,
    ConfigName: id,
    File: { Name: target, UID: '103', GID: '104', Mode: 0o440 },
  });

  it('lie where Swarm puts them, with their owner and mode', async () => {
    const record = task({ Secrets: [secret('one', 'password')], Configs: [config('three', '/etc/app/plain.conf')] });

    expect(await taskFiles().prepare(record, words, [])).toEqual([
      { source: `/files/${record.id}/0`, target: '/run/secrets/password' },
      { source: `/files/${record.id}/1`, target: '/etc/app/plain.conf' },
    ]);
    expect(folder.files.get(`${record.id}/0`)).toEqual({ text: 'hush', owner: { userId: 0, groupId: 0, mode: 0o444 } });
    expect(folder.files.get(`${record.id}/1`)?.owner).toEqual({ userId: 103, groupId: 104, mode: 0o440 });
  });

  it('of tasks that refer to nothing ask for nothing', async () => {
    expect(await taskFiles().prepare(task({}), words, [])).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('that are templates know the task, its environment and its other files', async () => {
    const Configs = [config('two', '/out'), config('three', 'plain')];
    await taskFiles().prepare(task({ Secrets: [secret('one', 'password')], Configs }), words, [
      'MODE=slow',
      'MODE=fast',
    ]);

    expect(folder.files.get(`${aTask().id}/1`)?.text).toBe('2 hush fast open');
  });

  it('never lie in clear on the disk, and are there again without the cluster', async () => {
    const record = task({ Secrets: [secret('one', 'password')] });
    await taskFiles().prepare(record, words, []);
    expect(disk.size).toBe(1);
    for (const text of disk.values()) {
      expect(text).not.toContain('hush');
      expect(text).not.toContain(Buffer.from('hush').toString('base64'));
    }

    isAway = true;
    await folder.remove(record.id);
    await taskFiles().prepare(record, words, []);
    expect(folder.files.get(`${record.id}/0`)?.text).toBe('hush');
    expect(asked).toHaveLength(1);
  });

  it('are waited for while the cluster is away, refused when it has none', async () => {
    isAway = true;
    const prepare = () => taskFiles().prepare(task({ Secrets: [secret('one', 'x')] }), words, []);
    await expect(prepare()).rejects.toMatchObject({ code: 'unavailable', message: /the secret one/ });
    isAway = false;
    cluster.clear();
    await expect(prepare()).rejects.toMatchObject({
      code: 'not-found',
      message: 'Cannot get the secret one: secret one not found',
    });
  });

  it('go with their task, the sealed ones too', async () => {
    const record = task({ Secrets: [secret('one', 'x')] });
    const files = taskFiles();
    await files.prepare(record, words, []);
    await files.keepOnly([record]);
    expect(folder.files.size).toBe(1);

    await files.drop(record.id);
    await files.keepOnly([]);
    expect(folder.files.size).toBe(0);
    expect([...disk.values()].join()).toContain('"payloads":{}');
  });
});
