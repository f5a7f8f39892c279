/** An agent's parts as they are in production: Docker, NATS, the kernel's tables, threads. */
import { connectBus } from '../bus/connect-bus.ts';
import { readNodeIdentity } from '../bus/identity/user-identity.ts';
import { systemClock } from '../runtime/clock.ts';
import { durableFiles } from '../runtime/files.ts';
import { randomId } from '../runtime/identifiers.ts';
import { createLog } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { probeTcp } from '../runtime/tcp-probe.ts';
import { programVersion } from '../runtime/version.ts';
import type { AgentParts } from './agent-parts.ts';
import { DockerEngine } from './engine/docker-engine.ts';
import { DockerNetworks } from './engine/docker-networks.ts';
import { EngineCalls } from './engine/engine-calls.ts';
import { DockerPassage } from './engine/engine-passage.ts';
import { RealVolatileFolder } from './files/volatile-folder.ts';
import { serveHttp } from './http-server.ts';
import { ContainerCgroups } from './metrics/container-cgroups.ts';
import { KernelFiles, keepableFiles } from './metrics/kernel-files.ts';
import { createNodeMetrics } from './metrics/node-metrics.ts';
import { createPathProbe } from './network/check/path-probe.ts';
import { runHostCommand } from './network/command-runner.ts';
import { createIngressPorts } from './network/ingress.ts';
import { OverlayHost } from './network/overlay/overlay-host.ts';
import { hostProcFiles } from './network/proc-files.ts';
import { Traffic } from './network/traffic/traffic.ts';
import { probeTunnel } from './network/watch/tunnel-probe.ts';
import { WireguardKeys } from './network/wireguard/wireguard-keys.ts';
import { planTask } from './plan/plan-task.ts';
import { createProbeClient } from './probe/probe-client.ts';
import { realHost } from './real-host.ts';
import type { AgentSettings } from './settings.ts';
import { startBeatThread } from './start-beat-thread.ts';
import { createUsageMeter } from './usage/usage-meter.ts';

/** Reads this node's identity from the state directory; throws `not-found` when it has not joined a cluster. */
export function realParts(settings: AgentSettings): AgentParts {
  const identity = readNodeIdentity(settings.stateDir);
  const { nodeId } = identity;
  const version = programVersion();
  const clock = systemClock;
  const log = createLog('agent', settings.logLevel);
  const metrics = createMetrics('agent', version);
  const files = new KernelFiles(keepableFiles());
  const { procRoot, sysRoot, rootfs, measureLayers } = settings;
  const roots = { procRoot, sysRoot, rootfs };
  const cgroups = new ContainerCgroups(files, roots);
  const engine = new DockerEngine(settings.docker, clock, log);
  const wireguard = new WireguardKeys({ run: runHostCommand, files: durableFiles, stateDir: settings.stateDir });
  const networks = new DockerNetworks(new EngineCalls(settings.docker, clock));
  return {
    identity,
    version,
    clock,
    log,
    metrics,
    engine,
    passage: new DockerPassage(settings.docker),
    host: realHost(settings),
    files: durableFiles,
    volatileFolder: new RealVolatileFolder(settings.filesDir, runHostCommand),
    probe: probeTcp,
    planTask,
    probeClient: createProbeClient(new EngineCalls(settings.docker, clock), clock),
    newId: randomId,
    serveHttp,
    connect: (purpose) => connectBus({ identity, purpose, waitForServer: false, clock, log, registry: metrics }),
    overlayHost: new OverlayHost({
      clusterId: identity.clusterId,
      run: runHostCommand,
      files: hostProcFiles,
      networks,
      privateKey: () => wireguard.privateKey(),
      log,
      metrics,
    }),
    wireguard,
    networkTools: { run: runHostCommand, files: hostProcFiles, probe: createPathProbe(runHostCommand), probeTunnel },
    networks,
    ports: createIngressPorts({ run: runHostCommand, files: hostProcFiles, clock, log, metrics }),
    startBeats: (state, incarnation) => startBeatThread({ identity, incarnation, state, clock, log }),
    nodeMetrics: createNodeMetrics({ engine, clock, log, files, cgroups, roots, nodeId, version, measureLayers }),
    traffic: new Traffic({ run: runHostCommand, files: hostProcFiles, clock, metrics }),
    usageMeter: createUsageMeter({ clock, files, cgroups, roots }),
    monotonicNs: () => process.hrtime.bigint(),
  };
}
