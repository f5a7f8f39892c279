/** A coordinator's parts as they are in production: NATS, the cluster's keys on this host's disk, real time. */
import { connectBus } from '../bus/connect-bus.ts';
import { contentKeyOf, joinAddressOf, openCluster } from '../bus/identity/cluster.ts';
import { readCoordinatorIdentity, readNodeIdentity } from '../bus/identity/user-identity.ts';
import { systemClock } from '../runtime/clock.ts';
import { randomId } from '../runtime/identifiers.ts';
import { createLog } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { probeTcp } from '../runtime/tcp-probe.ts';
import { programVersion } from '../runtime/version.ts';
import { createAdmission } from './admission.ts';
import { alertmanagerAt } from './alerts/alertmanager.ts';
import { prometheusAt } from './autoscale/prometheus.ts';
import { queuesAt } from './autoscale/queues.ts';
import type { CoordinatorParts } from './coordinator-parts.ts';
import { vaultOf } from './payloads/vault.ts';
import { planningAgain } from './plan/plan.ts';
import type { CoordinatorSettings } from './settings.ts';

/** Reads the cluster's keys from the state directory; throws `not-found` when this host holds no cluster. */
export function realParts(settings: CoordinatorSettings): CoordinatorParts {
  const { stateDir } = settings;
  const identity = readCoordinatorIdentity(stateDir);
  const cluster = openCluster(stateDir);
  const clock = systemClock;
  const version = programVersion();
  const log = createLog('coordinator', settings.logLevel);
  const metrics = createMetrics('coordinator', version);
  return {
    identity,
    nodeId: () => nodeIdOf(stateDir),
    version,
    clock,
    log,
    metrics,
    random: Math.random,
    newId: randomId,
    connect: () => connectBus({ identity, purpose: 'state', waitForServer: false, clock, log, registry: metrics }),
    joinAddress: joinAddressOf(cluster),
    admission: (bus, buckets) => createAdmission({ stateDir, bus, buckets, clock, log }),
    probe: probeTcp,
    plan: planningAgain(),
    allowedHostAccess: new Set(settings.allow),
    prometheus: settings.prometheus === undefined ? undefined : prometheusAt(settings.prometheus, clock),
    queues: settings.natsMonitoring === undefined ? undefined : queuesAt(settings.natsMonitoring, clock),
    alertmanager: settings.alertmanager === undefined ? undefined : alertmanagerAt(settings.alertmanager, clock),
    vault: vaultOf(contentKeyOf(cluster)),
  };
}

function nodeIdOf(stateDir: string): string | undefined {
  try {
    return readNodeIdentity(stateDir).nodeId;
  } catch {
    // Not a node (yet): that is no error of a coordinator.
    return undefined;
  }
}
