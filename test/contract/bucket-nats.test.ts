import { connect, jwtAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe } from 'vitest';
import { issueCoordinatorIdentity } from '../../bus/identity/cluster.ts';
import { TestNats } from '../support/nats-server.ts';
import { bucketContract } from './bucket-suite.ts';

describe('buckets on a NATS server', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await TestNats.start();
  });
  afterAll(() => nats.stop());

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
        await plain.request(`$KV.${bucket}.${key}`, text);
      },
      stop: async () => {
        await plain.close();
        await nats.closeConnections();
      },
    };
  });
});
