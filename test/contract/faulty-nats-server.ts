/** A real NATS server, each client behind a proxy of its own. */
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { issueCoordinatorIdentity } from '../../bus/identity/cluster.ts';
import { streamOf } from '../../bus/kv-layout.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { NatsProxy } from '../support/nats-proxy.ts';
import { TestNats } from '../support/nats-server.ts';
import type { FaultyConnection, FaultyServer } from './faulty-server.ts';

/** A fresh cluster's server. */
export async function startFaultyNatsServer(): Promise<FaultyServer> {
  const nats = await TestNats.start();
  const proxies: NatsProxy[] = [];
  const identity = await issueCoordinatorIdentity(nats.cluster);
  const administer = async (request: (plain: NatsConnection) => Promise<unknown>) => {
    const authenticator = jwtAuthenticator(identity.jwt, new TextEncoder().encode(identity.seed));
    const plain = await connect({ servers: identity.natsUrls, authenticator });
    await request(plain);
    await plain.close();
  };
  return {
    connect: async () => {
      const proxy = await NatsProxy.start(Number(new URL(identity.natsUrls[0] ?? '').port));
      proxies.push(proxy);
      return connectThrough(nats, proxy);
    },
    kill: () => nats.killServer(),
    restart: async () => void (await nats.startServer()),
    freeze: () => nats.signal('SIGSTOP'),
    thaw: () => nats.signal('SIGCONT'),
    purge: (bucket) => administer((plain) => plain.request(`$JS.API.STREAM.PURGE.${streamOf(bucket)}`, '')),
    recreate: (bucket) =>
      administer(async (plain) => {
        const stream = streamOf(bucket);
        const { config } = (await plain.request(`$JS.API.STREAM.INFO.${stream}`, '')).json<{ config: object }>();
        await plain.request(`$JS.API.STREAM.DELETE.${stream}`, '');
        await plain.request(`$JS.API.STREAM.CREATE.${stream}`, JSON.stringify(config));
      }),
    stop: async () => {
      await nats.stop();
      for (const proxy of proxies) await proxy.stop();
    },
  };
}

async function connectThrough(nats: TestNats, proxy: NatsProxy): Promise<FaultyConnection> {
  const identity = await issueCoordinatorIdentity(nats.cluster);
  const metrics = createMetrics('test', '0');
  const natsUrls = [`nats://127.0.0.1:${proxy.port}`];
  const { bus, buckets } = await nats.connect({ ...identity, natsUrls }, metrics, { waitForServer: true });
  let acknowledgements = 0;
  let deliveries = 0;
  proxy.loses = ({ subject, payload }) => {
    if (acknowledgements > 0 && /"stream":"KV_.*"seq":/.test(payload)) {
      acknowledgements -= 1;
      return true;
    }
    if (deliveries > 0 && subject.startsWith('$KV.')) {
      deliveries -= 1;
      return true;
    }
    return false;
  };
  return {
    bus,
    buckets,
    metrics,
    loseAcknowledgements: (count) => {
      acknowledgements = count;
    },
    loseDeliveries: (count) => {
      deliveries = count;
    },
    cut: () => proxy.cut(),
    heal: () => proxy.heal(),
  };
}
