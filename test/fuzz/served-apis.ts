/** Both APIs of a coordinator on the bus in memory, behind their real servers. Nobody leads: what is written, a request wrote. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDockerApi } from '../../coordinator/api/docker/api.ts';
import { createNativeApi } from '../../coordinator/api/native/native-api.ts';
import { closeServer, servePages, serveSocket } from '../../coordinator/api-servers.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import { systemClock } from '../../runtime/clock.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { alertPartsOn } from '../support/alerts.ts';
import { aNodeRecord, nodeIdOf } from '../support/docker-api-server.ts';
import { type MemoryConnection, MemoryServer } from '../support/memory-bus.ts';
import { wishesOn } from '../support/wishes.ts';

export interface ServedApis {
  readonly socketPath: string;
  readonly pagesPort: number;
  readonly memory: MemoryServer;
  /** What serves the socket and the public port, for their routes. */
  readonly listeners: {
    readonly docker: RequestListener;
    readonly local: RequestListener;
    readonly readOnly: RequestListener;
  };
  /** Forgets all that requests have written. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function serveApis(): Promise<ServedApis> {
  const memory = new MemoryServer({ clock: systemClock });
  const connection = memory.connect();
  await populate(connection);
  const store = await openStore({ buckets: connection.buckets, clock: systemClock });
  const { docker, native } = apisOn(connection, store);
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-fuzz-'));
  const socketPath = join(folder, 'docker.sock');
  const socket = await serveSocket(socketPath, { docker, native });
  const pages = await servePages('127.0.0.1', 0, native);
  return {
    socketPath,
    pagesPort: pages.port,
    memory,
    listeners: { docker: docker.handler, local: native.local, readOnly: native.readOnly },
    reset: async () => {
      memory.wipe('plim_spec');
      memory.wipe('plim_name');
      await populate(connection, false);
    },
    stop: async () => {
      docker.close();
      await Promise.all([closeServer(socket), closeServer(pages.server)]);
      await store.close();
      await connection.bus.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function populate({ buckets }: MemoryConnection, withNodes = true): Promise<void> {
  const times = { createdAtMs: 1_000, updatedAtMs: 1_000 };
  await buckets.clusters.create('main', { v: 1, id: derivedId('cluster'), taskHistoryLimit: 5, labels: {}, ...times });
  for (const hostname of ['h1', 'h2']) {
    const id = nodeIdOf(hostname);
    const wish = { labels: {}, role: 'worker', availability: 'active', publicKey: '' } as const;
    await buckets.nodeSpecs.create(id, { v: 1, id, name: hostname, ...wish, ...times });
    if (withNodes) await buckets.nodes.create(id, aNodeRecord(hostname));
  }
}

function apisOn({ bus, buckets }: MemoryConnection, store: Store) {
  const common = {
    bus,
    snapshot: () => store.snapshot(),
    clock: systemClock,
    log: createLog('test', 'silent'),
    metrics: createMetrics('test', '0'),
  };
  const wishes = wishesOn(store, { bus, buckets }, systemClock, { random: Math.random });
  const places = { advertiseAddress: '127.0.0.1', joinAddress: '127.0.0.1:4222' };
  const identity = { clusterId: derivedId('cluster'), ...places, httpPort: 7700, version: '0' };
  const docker = createDockerApi({
    ...common,
    ...identity,
    wishes,
    nodeId: () => nodeIdOf('h1'),
    joinToken: async () => 'PLIM-1-test',
    caPem: '',
  });
  const native = createNativeApi({
    ...common,
    ...alertPartsOn(store, { bus, buckets }, systemClock),
    identity,
    notReady: () => undefined,
    damagedRecords: () => store.damagedRecords(),
    plannedVersion: () => undefined,
    usage: { fresh: () => new Map() },
    removeNode: (nodeId, force) => wishes.nodes.remove(nodeId, force),
    nodes: wishes.nodes,
    payloads: wishes.payloads,
    services: wishes.services,
    access: { joinToken: async () => 'PLIM-1-test', rotateJoinToken: async () => 'PLIM-1-new' },
  });
  return { docker, native };
}
