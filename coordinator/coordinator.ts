/** The coordinator: one of several, any of which answers, one of which leads. It keeps nothing a restart would lose. */
import { createDockerApi } from './api/docker/api.ts';
import { createNativeApi } from './api/native/native-api.ts';
import { closeServer, servePages, serveSocket } from './api-servers.ts';
import type { CoordinatorParts } from './coordinator-parts.ts';
import { type CoordinatorCore, startCore } from './core.ts';
import { answerImageRequests } from './images/image-relay.ts';
import { answerRegistryAuth } from './images/registry-auth.ts';
import { Survival } from './loops/survival.ts';
import type { CoordinatorSettings } from './settings.ts';

export interface RunningCoordinator {
  /** The port the read-only pages are served on. */
  readonly port: number;
  readonly isLeading: () => boolean;
  /** Gives the lease back and ends; no agent notices. */
  stop(): Promise<void>;
}

/** Resolves when the APIs are served. The bus may be away at first: it is waited for, until `signal` aborts. */
export async function startCoordinator(
  settings: CoordinatorSettings,
  parts: CoordinatorParts,
  signal: AbortSignal = new AbortController().signal,
): Promise<RunningCoordinator> {
  const core = await startCore(parts, signal);
  try {
    const port = await serve({ settings, parts, core });
    return { port, isLeading: core.isLeading, stop: () => core.lifecycle.stop() };
  } catch (error) {
    await core.lifecycle.stop();
    throw error;
  }
}

interface Assembly {
  readonly settings: CoordinatorSettings;
  readonly parts: CoordinatorParts;
  readonly core: CoordinatorCore;
}

/** Answers the port of the read-only pages. */
async function serve(assembly: Assembly): Promise<number> {
  const { settings, parts, core } = assembly;
  const docker = dockerApi(assembly);
  const images = answerImageRequests({ ...parts, bus: core.bus, snapshot: () => core.store.snapshot() });
  core.lifecycle.onStop('images', () => images.stop());
  const auth = answerRegistryAuth({ ...parts, bus: core.bus, snapshot: () => core.store.snapshot() });
  core.lifecycle.onStop('registry credentials', () => auth.stop());
  const survival = new Survival({ ...parts, snapshot: () => core.store.snapshot(), isLeading: core.isLeading });
  const survivalEnded = survival.run(core.lifecycle.signal);
  core.lifecycle.onStop('survival', () => survivalEnded);
  const native = nativeApi(assembly);
  const pages = await servePages(settings.listen, settings.port, native);
  core.lifecycle.onStop('pages', () => closeServer(pages.server));
  const socket = await serveSocket(settings.socket, { docker, native });
  core.lifecycle.onStop('socket', () => closeServer(socket));
  core.lifecycle.onStop('streams', () => docker.close());
  parts.log.info({ socket: settings.socket, port: pages.port }, 'this coordinator answers');
  return pages.port;
}

function dockerApi({ settings, parts, core }: Assembly): ReturnType<typeof createDockerApi> {
  return createDockerApi({
    ...parts,
    bus: core.bus,
    snapshot: () => core.store.snapshot(),
    wishes: core.wishes,
    clusterId: parts.identity.clusterId,
    caPem: parts.identity.caPem,
    advertiseAddress: settings.advertise,
    joinToken: () => core.admission.joinToken(),
  });
}

function nativeApi({ settings, parts, core }: Assembly): ReturnType<typeof createNativeApi> {
  return createNativeApi({
    ...parts,
    bus: core.bus,
    access: core.admission,
    usage: core.usage,
    alertBook: core.alertBook,
    alertToken: core.alertToken,
    snapshot: () => core.store.snapshot(),
    notReady: () => notReady(core),
    damagedRecords: () => core.store.damagedRecords(),
    plannedVersion: core.plannedVersion,
    removeNode: (nodeId, force) => core.wishes.nodes.remove(nodeId, force),
    nodes: core.wishes.nodes,
    payloads: core.wishes.payloads,
    services: core.wishes.services,
    identity: {
      clusterId: parts.identity.clusterId,
      advertiseAddress: settings.advertise,
      joinAddress: parts.joinAddress,
      httpPort: settings.port,
      version: parts.version,
    },
  });
}

function notReady({ bus, store }: CoordinatorCore): string | undefined {
  if (!bus.connected) return 'the connection to NATS is down';
  return store.isCurrent ? undefined : 'its copy of the cluster state has a gap and is being read again';
}
