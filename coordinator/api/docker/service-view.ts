/** A service as the Engine API shows it. Pure. */
import type { Entry } from '../../../bus/bus.ts';
import { isJob, jobIteration } from '../../../model/jobs.ts';
import { overlayAttachments } from '../../../model/overlay-attachments.ts';
import { DEFAULT_STOP_GRACE_PERIOD_NS } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { ServiceSpec, UpdateConfig } from '../../../model/service-spec.ts';
import { vipPool } from '../../plan/network/pools.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { vipOf } from '../../store/virtual-address.ts';
import { isoTime } from './dates.ts';
import { serviceStatus } from './service-status.ts';
import { updateStatus } from './update-status.ts';

export interface ServiceViewOptions {
  /** Spell out what unset fields of Spec mean; PreviousSpec stays as it was stored, as in Swarm. */
  readonly insertDefaults: boolean;
  /** Add ServiceStatus, the counts of tasks. */
  readonly status: boolean;
}

export function serviceView(snapshot: Snapshot, entry: Entry<ServiceRecord>, options: ServiceViewOptions): object {
  const { value: record, revision } = entry;
  return {
    ID: record.id,
    Version: { Index: revision },
    CreatedAt: isoTime(record.createdAtMs),
    UpdatedAt: isoTime(record.updatedAtMs),
    Spec: options.insertDefaults ? withDefaults(record.spec) : record.spec,
    PreviousSpec: record.previousSpec,
    Endpoint: endpointView(snapshot, record),
    JobStatus: jobStatus(record),
    UpdateStatus: updateStatus(record, snapshot.rollouts.get(record.id)?.value),
    ServiceStatus: options.status ? serviceStatus(snapshot, record) : undefined,
  };
}

/** Which run of a job this is, and when it began. */
function jobStatus({ spec, revision, revisions, updatedAtMs }: ServiceRecord): object | undefined {
  if (!isJob(spec)) return undefined;
  const begunAtMs = revisions.find(({ number }) => number === revision)?.createdAtMs ?? updatedAtMs;
  return { JobIteration: { Index: jobIteration(revision) }, LastExecution: isoTime(begunAtMs) };
}

function endpointView(snapshot: Snapshot, { id, spec, ports }: ServiceRecord): object {
  const networks = overlayAttachments(spec.TaskTemplate);
  if (ports.length === 0 && networks.length === 0) return { Spec: {} };
  const Spec = { Mode: spec.EndpointSpec?.Mode || 'vip', Ports: spec.EndpointSpec?.Ports };
  const addresses = networks.flatMap(({ Target: NetworkID }) => {
    const vip = vipOf(snapshot, NetworkID, id);
    return vip ? [{ NetworkID, Addr: `${vip.address}/${vipPool.prefix}` }] : [];
  });
  return {
    Spec,
    Ports: ports.length > 0 ? ports : undefined,
    VirtualIPs: addresses.length > 0 ? addresses : undefined,
  };
}

const defaultUpdateConfig: UpdateConfig = {
  Parallelism: 1,
  FailureAction: 'pause',
  Monitor: 5_000_000_000,
  MaxFailureRatio: 0,
  Order: 'stop-first',
};
const defaultRestartPolicy = { Condition: 'any', Delay: 5_000_000_000, MaxAttempts: 0 } as const;

/** As the engine does for `insertDefaults=true`: whole blocks where none was given, the grace period in any case. */
function withDefaults(spec: ServiceSpec): ServiceSpec {
  const { ContainerSpec, RestartPolicy } = spec.TaskTemplate;
  return {
    ...spec,
    TaskTemplate: {
      ...spec.TaskTemplate,
      ContainerSpec: { StopGracePeriod: DEFAULT_STOP_GRACE_PERIOD_NS, ...ContainerSpec },
      RestartPolicy: { ...defaultRestartPolicy, ...RestartPolicy },
    },
    UpdateConfig: { ...defaultUpdateConfig, ...spec.UpdateConfig },
    RollbackConfig: { ...defaultUpdateConfig, ...spec.RollbackConfig },
  };
}
