/** No space left, under NATS and under Docker: told in words, no container stopped, and over as soon as there is space. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type Lab, labCommandAt, labEnsured } from '../support/lab.ts';
import { SmallDisk } from '../support/small-disk.ts';

const place = { name: 'fulldisk', subnet: '10.99.67' } as const;
const labDirectory = `/var/lib/plimsoll-${place.name}`;
const GIB = 2 ** 30;

describe('a full disk', () => {
  let lab: Lab;
  let cluster: Cluster;
  let natsDisk: SmallDisk | undefined;
  let dockerDisk: SmallDisk | undefined;

  beforeAll(async () => {
    await labCommandAt(place)('down');
    natsDisk = await SmallDisk.mount(`${labDirectory}/h1/state/nats`, 8 * GIB);
    dockerDisk = await SmallDisk.mount(`${labDirectory}/h2/data`, 2 * GIB);
    lab = await labEnsured({ engine: 'plimsoll', hosts: 2, modern: 0, coordinators: 1, place });
    cluster = new Cluster(lab);
    await cluster.create('web', '--replicas', '4', 'plimsoll/sleep:1');
    await cluster.settled('web', 4);
  });

  afterAll(async () => {
    natsDisk?.free();
    dockerDisk?.free();
    await natsDisk?.unmount();
    await dockerDisk?.unmount();
    await labCommandAt(place)('down');
  });

  /** A name each time: that of a wish nobody answered is taken for another minute. */
  let names = 0;
  const nextName = () => {
    names += 1;
    return `more${names}`;
  };
  const tryToCreate = (name: string) =>
    cluster.try('service', 'create', '--detach', '--no-resolve-image', '--name', name, 'plimsoll/sleep:1');

  it('under NATS: wishes are refused with the reason, containers run on, and all goes on when there is space', async () => {
    const before = await cluster.runs('web');
    await natsDisk?.fill();
    try {
      const refused = async () => {
        const result = await tryToCreate(nextName());
        return result.code !== 0 && result.stderr;
      };
      const words = await eventually(refused, { timeoutMs: 60_000, intervalMs: 500, what: 'a wish to be refused' });
      expect(words).toMatch(/NATS|JetStream|disk|space/);
    } finally {
      natsDisk?.free();
    }

    const accepted = async () => {
      const name = nextName();
      return (await tryToCreate(name)).code === 0 ? name : undefined;
    };
    const what = 'a wish to be taken again';
    await cluster.settled(await eventually(accepted, { timeoutMs: 90_000, intervalMs: 1_000, what }), 1);
    await cluster.whole();
    expect(await cluster.runs('web')).toEqual(before);
  });

  it('under Docker: the task says so, containers run on, and it runs when there is space', async () => {
    const before = await cluster.runs('web');
    await dockerDisk?.fill();
    try {
      await cluster.create('stuck', '--constraint', 'node.hostname==h2', 'plimsoll/sleep:1');
      expect(await cluster.taskError('stuck', /space/)).toContain('no space left on device');
      expect(await cluster.runs('web')).toEqual(before);
    } finally {
      dockerDisk?.free();
    }

    await cluster.settled('stuck', 1);
    expect(await cluster.runs('web')).toEqual(before);
  });
});
