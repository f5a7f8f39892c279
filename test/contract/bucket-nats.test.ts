import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueCoordinatorIdentity } from '../../bus/identity/cluster.ts';
import { guardedSubjectOf } from '../../bus/kv-layout.ts';
import { TestNats } from '../support/nats-server.ts';
import { bucketContract } from './bucket-suite.ts';

describe('buckets on a NATS server', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await TestNats.start();
  });
  afterAll(() => nats.stop());

  test('the server fences where it can', async () => {
    const { buckets } = await nats.coordinator();

    expect(buckets.serverFences).toBe(nats.version[0] > 2 || nats.version[1] >= 12);
    await nats.closeConnections();
  });

  bucketContract(async () => {
    const identity = await issueCoordinatorIdentity(nats.cluster);
    const plain = await connect({
      servers: identity.natsUrls,
      authenticator: jwtAuthenticator(identity.jwt, new TextEncoder().encode(identity.seed)),
    });
    for (const bucket of ['spec', 'name', 'net', 'task', 'slot', 'rollout', 'scale', 'lease']) {
      await plain.request(`$JS.API.STREAM.PURGE.KV_plim_${bucket}`, '').catch(() => undefined);
    }
    const { buckets: first } = await nats.connect(identity);
    const { buckets: second } = await nats.coordinator();
    return {
      first,
      second,
      corrupt: async (bucket, key, text) => {
        await plain.request(guardedSubjectOf(identity.writeSecret, bucket, key), text);
      },
      stop: async () => {
        await plain.close();
        await nats.closeConnections();
      },
    };
  });
});
