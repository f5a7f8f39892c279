/** Volumes of the cluster with the docker CLI, over real engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, linesOf, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const patiently = { timeoutMs: 30_000, intervalMs: 200 };
const image = 'plimsoll/sleep:1';

describe('docker volume', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterAll(async () => {
    await cluster.clear();
    await cluster.try('volume', 'rm', '--force', 'shelf');
  });

  const keeper = ['--mount', 'type=volume,source=shelf,target=/shelf', '--constraint', 'node.hostname==h2'];

  async function inKeeper(...words: string[]): Promise<string> {
    const [task] = await cluster.settled('keeper', 1);
    if (!task) throw new Error('keeper has no task');
    return cluster.docker('exec', `${task.name}.${task.id}`, ...words);
  }

  it('makes what a node has once a task mounts it, with its labels; data stays when the service goes', async () => {
    expect(await cluster.docker('volume', 'create', '--label', 'tier=store', 'shelf')).toBe('shelf');
    expect(linesOf(await cluster.docker('volume', 'ls', '--quiet'))).toContain('shelf');
    expect(await cluster.engine('h2', 'volume', 'ls', '--quiet', '--filter', 'name=shelf')).toBe('');

    await cluster.create('keeper', ...keeper, image);
    await inKeeper('/bin/sh', '-c', 'echo kept >/shelf/word');
    expect(linesOf(await cluster.docker('volume', 'ls', '--quiet', '--filter', 'label=tier=store'))).toEqual([
      'h2/shelf',
    ]);
    expect(await cluster.docker('volume', 'inspect', '--format', '{{.Name}} {{.Driver}}', 'shelf')).toBe(
      'h2/shelf local',
    );

    await cluster.docker('service', 'rm', 'keeper');
    await cluster.create('keeper', ...keeper, image);
    expect(await inKeeper('/bin/cat', '/shelf/word')).toBe('kept');
  });

  it('removes none that is used, and then from the node as well', async () => {
    const refused = await cluster.try('volume', 'rm', 'shelf');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('remove shelf: volume is in use - [keeper]');
    await cluster.docker('service', 'rm', 'keeper');
    // The engine keeps a volume for as long as the container is there.
    await eventually(async () => (await cluster.try('volume', 'rm', 'shelf')).code === 0, patiently);
    expect(await cluster.engine('h2', 'volume', 'ls', '--quiet', '--filter', 'name=shelf')).toBe('');
    expect((await cluster.try('volume', 'inspect', 'shelf')).stderr).toMatch(/no such volume/i);
  });

  it('refuses what Docker refuses', async () => {
    expect((await cluster.try('volume', 'create', 'a/b')).stderr).toContain(
      'invalid characters for a local volume name',
    );
    await cluster.docker('volume', 'create', 'shelf');
    const other = await cluster.try('volume', 'create', '--driver', 'other', 'shelf');
    expect(other.stderr).toContain('already exists with the local driver');
  });
});
