import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  adoptCluster,
  clusterFile,
  createCluster,
  joinAddressOf,
  openCluster,
} from '../../../../bus/identity/cluster.ts';
import { coordinatorIdentityFile, readCoordinatorIdentity } from '../../../../bus/identity/user-identity.ts';
import { furtherCluster } from '../../../../cli/host/join-cluster.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-cluster-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const stateDir = (host: string) => join(folder, host);

/** A cluster founded on a host; answers the copy of its file that an operator brings to another. */
async function clusterOn(host: string, listenHost = '0.0.0.0'): Promise<string> {
  const advertisedHosts = [listenHost === '0.0.0.0' ? '192.0.2.1' : listenHost];
  await createCluster(stateDir(host), { listenHost, port: 4222, advertisedHosts, nowMs: 0 });
  const copy = join(folder, `copy-of-${host}.json`);
  copyFileSync(clusterFile(stateDir(host)), copy);
  return copy;
}

describe('adoptCluster()', () => {
  test('makes the same cluster with an identity of its own, which goes to the NATS server there is', async () => {
    const copy = await clusterOn('h1');

    const adopted = await adoptCluster(stateDir('h2'), copy);

    const [first, further] = [readCoordinatorIdentity(stateDir('h1')), readCoordinatorIdentity(stateDir('h2'))];
    expect(openCluster(stateDir('h2'))).toEqual(adopted);
    expect(adopted).toEqual({ ...openCluster(stateDir('h1')), servesNats: false });
    expect(joinAddressOf(adopted)).toBe('192.0.2.1:4222');
    expect(first.natsUrls).toEqual(['tls://127.0.0.1:4222', 'tls://192.0.2.1:4222']);
    expect(further.natsUrls).toEqual(['tls://192.0.2.1:4222']);
    expect(further.coordinatorId).not.toBe(first.coordinatorId);
    expect(statSync(clusterFile(stateDir('h2'))).mode & 0o777).toBe(0o600);
  });

  test('refuses a file that others can read', async () => {
    const copy = await clusterOn('h1');
    chmodSync(copy, 0o640);

    await expect(adoptCluster(stateDir('h2'), copy)).rejects.toMatchObject({
      code: 'refused',
      message: `Cannot use ${copy}: its mode is 0640, wanted is 0600, for it holds the cluster's keys: chmod 600 ${copy}`,
    });
    expect(existsSync(stateDir('h2'))).toBe(false);
  });

  test('refuses a cluster that listens to its own host only', async () => {
    const copy = await clusterOn('h1', '127.0.0.1');

    await expect(adoptCluster(stateDir('h2'), copy)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('listens on 127.0.0.1 only'),
    });
    expect(existsSync(coordinatorIdentityFile(stateDir('h2')))).toBe(false);
  });
});

describe('openCluster()', () => {
  test('takes a file without servesNats for one of the host that serves it', async () => {
    await clusterOn('h1');
    const { servesNats: _, ...older } = JSON.parse(readFileSync(clusterFile(stateDir('h1')), 'utf8'));
    writeFileSync(clusterFile(stateDir('h1')), JSON.stringify(older));

    expect(openCluster(stateDir('h1')).servesNats).toBe(true);
  });
});

describe('furtherCluster()', () => {
  test('adopts once; after that the copy may be gone', async () => {
    const copy = await clusterOn('h1');
    const adopted = await furtherCluster(stateDir('h2'), copy);
    const identity = readCoordinatorIdentity(stateDir('h2'));

    expect(await furtherCluster(stateDir('h2'), copy)).toEqual(adopted);
    rmSync(copy);
    expect(await furtherCluster(stateDir('h2'), copy)).toEqual(adopted);
    expect(readCoordinatorIdentity(stateDir('h2'))).toEqual(identity);
  });

  test('refuses a file that is not there', async () => {
    await expect(furtherCluster(stateDir('h2'), join(folder, 'nowhere.json'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining("copy the first coordinator's <state-dir>/cluster/cluster.json here"),
    });
  });

  test('refuses the file of another cluster', async () => {
    await furtherCluster(stateDir('h2'), await clusterOn('h1'));

    await expect(furtherCluster(stateDir('h2'), await clusterOn('other'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/it is of the cluster \w+, and this host belongs to the cluster \w+/),
    });
  });

  test('refuses on the host that serves NATS', async () => {
    const copy = await clusterOn('h1');

    await expect(furtherCluster(stateDir('h1'), copy)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('start its coordinator without --cluster-file'),
    });
  });
});
