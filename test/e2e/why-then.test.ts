/** What `plim why` says of a time gone by. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { builtPlim } from '../support/plim.ts';

const image = 'plimsoll/sleep:1';

describe('plim why --at', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });

  afterAll(() => cluster.clear());

  async function why(...words: string[]): Promise<string> {
    const all = [builtPlim(), 'why', ...words, '--socket', cluster.lab.clusterSocket];
    return (await promisify(execFile)(process.execPath, all)).stdout;
  }

  it('tells what had been decided by then, and nothing that came later', async () => {
    await cluster.create('web', '--replicas', '1', image);
    await cluster.settled('web', 1);
    const before = new Date().toISOString();
    await cluster.docker('service', 'scale', '--detach', 'web=3');
    await cluster.settled('web', 3);

    const now = await why('web');
    const then = await why('web', '--at', before);
    for (const slot of ['web.2', 'web.3']) {
      expect(now).toContain(slot);
      expect(then).not.toContain(slot);
    }
    expect(then).toContain('web.1');
    await expect(why('web', '--at', 'tomorrow')).rejects.toThrow('Give an RFC 3339 time');
  });
});
