/** What a service specification must be beyond its schema. Sentences are Swarm's. Pure. */
import { isJob, replicatedJobRules } from '../../model/jobs.ts';
import { desiredReplicas, isGlobal } from '../../model/service-defaults.ts';
import type {
  EndpointSpec,
  ListedGenericResource,
  Mount,
  ResourceRequirements,
  ServiceMode,
  ServiceSpec,
} from '../../model/service-spec.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { checkReferences } from '../payloads/reference-rules.ts';
import { invalid } from './errors.ts';
import { checkHealthcheck } from './health-rules.ts';
import { isImageReference } from './image-reference.ts';
import { checkPlacement } from './placement-rules.ts';
import { portKey } from './ports.ts';
import { checkPrivileges } from './privilege-rules.ts';
import { checkServiceLabels } from './service-labels.ts';
import { checkServiceNetworks } from './service-networks.ts';
import { checkTemplates } from './template-rules.ts';
import { refuseUnsupported } from './unsupported-fields.ts';

const MIN_MEMORY_BYTES = 4 * 1024 * 1024;
const MIN_NANO_CPUS = 1_000_000;
/** Each is a record of its own and planned at every change: more is a slip of the hand. */
const MAX_REPLICAS = 10_000;
/** A service's record holds its specification up to twelve times (ten revisions), and NATS takes 8 MB. */
const MAX_SPEC_BYTES = 512 * 1024;

/** Throws `invalid` or `unsupported`, naming the field or value. */
export function checkServiceSpec(spec: ServiceSpec): void {
  checkName(spec.Name);
  checkSize(spec);
  const { ContainerSpec: container, Resources, Placement } = spec.TaskTemplate;
  checkMode(spec);
  checkResources(Resources?.Limits);
  checkResources(Resources?.Reservations);
  checkGenericReservations(Resources?.Reservations?.GenericResources ?? []);
  checkPlacement(Placement);
  if (!isImageReference(container.Image)) {
    throw invalid(`ContainerSpec: "${container.Image}" is not a valid repository/tag`);
  }
  checkMounts(container.Mounts ?? []);
  checkReferences(container);
  checkPrivileges(container.Privileges);
  checkHealthcheck(container.Healthcheck);
  checkTemplates(spec);
  checkEndpoint(spec.EndpointSpec);
  checkServiceNetworks(spec);
  refuseUnsupported(spec);
  checkServiceLabels(spec);
}

/** Throws when an update changes what a service is from its creation on. */
export function checkUnchangeable(before: ServiceSpec, after: ServiceSpec): void {
  if (before.Name !== after.Name) throw new PlimsollError('unsupported', 'renaming services is not supported');
  if (modeOf(before.Mode) !== modeOf(after.Mode)) {
    throw new PlimsollError('unsupported', 'service mode change is not allowed');
  }
}

/** The specification as it is stored: what the engine fills in at submission. */
export function withServerDefaults(spec: ServiceSpec): ServiceSpec {
  const { DNSConfig = {}, ...given } = spec.TaskTemplate.ContainerSpec;
  const container = { ...given, DNSConfig, Isolation: 'default' };
  const EndpointSpec = spec.EndpointSpec && { ...spec.EndpointSpec, Mode: spec.EndpointSpec.Mode || ('vip' as const) };
  const TaskTemplate = { ...spec.TaskTemplate, ContainerSpec: container, Runtime: 'container' as const };
  return { ...spec, Labels: spec.Labels ?? {}, TaskTemplate, Mode: modeWithDefaults(spec), EndpointSpec };
}

function modeWithDefaults(spec: ServiceSpec): ServiceMode {
  const job = replicatedJobRules(spec);
  if (job) return { ReplicatedJob: { MaxConcurrent: job.concurrent, TotalCompletions: job.completions } };
  if (isGlobal(spec)) return spec.Mode ?? {};
  return { Replicated: { Replicas: desiredReplicas(spec) } };
}

function checkName(name: string): void {
  if (name === '') throw invalid('meta: name must be provided');
  if (name.length > 63) throw invalid('name must be 63 characters or fewer');
  if (!/^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9])*$/.test(name)) throw invalid('name must be valid as a DNS name component');
}

function checkSize(spec: ServiceSpec): void {
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > MAX_SPEC_BYTES) {
    throw invalid(`the specification has ${bytes} bytes, Plimsoll stores at most ${MAX_SPEC_BYTES} of a service`);
  }
}

function modeOf(mode: ServiceMode | undefined): string {
  return Object.entries(mode ?? {}).find(([, value]) => value !== undefined)?.[0] ?? 'Replicated';
}

function checkMode(spec: ServiceSpec): void {
  const mode = spec.Mode;
  const given = Object.keys(mode ?? {});
  if (given.length > 1) throw invalid(`Mode: choose one of ${given.join(', ')}`);
  if (isJob(spec)) checkJob(spec);
  const replicas = mode?.Replicated?.Replicas ?? 0;
  if (replicas > MAX_REPLICAS) {
    throw invalid(
      `Mode.Replicated.Replicas: ${replicas} is more than the ${MAX_REPLICAS} Plimsoll runs of one service`,
    );
  }
}

function checkJob(spec: ServiceSpec): void {
  if (spec.UpdateConfig) throw invalid('UpdateConfig: job may not have update config');
  if (spec.RollbackConfig) throw invalid('RollbackConfig: job may not have rollback config');
  const { completions = 0 } = replicatedJobRules(spec) ?? {};
  if (completions > MAX_REPLICAS) {
    throw invalid(
      `Mode.ReplicatedJob.TotalCompletions: ${completions} is more than the ${MAX_REPLICAS} Plimsoll runs of one job`,
    );
  }
}

function checkResources(wanted: NonNullable<ResourceRequirements['Limits']> | undefined): void {
  if (wanted?.NanoCPUs && wanted.NanoCPUs < MIN_NANO_CPUS) {
    const cpus = String(wanted.NanoCPUs / 1e9).replace(/e-(\d)$/, 'e-0$1');
    throw invalid(`invalid cpu value ${cpus}: Must be at least ${MIN_NANO_CPUS / 1e9}`);
  }
  if (wanted?.MemoryBytes && wanted.MemoryBytes < MIN_MEMORY_BYTES) {
    throw invalid(`invalid memory value ${wanted.MemoryBytes}: Must be at least 4MiB`);
  }
}

/** Swarm takes names and negative numbers, too, and then never finds a node. */
function checkGenericReservations(wanted: readonly ListedGenericResource[]): void {
  const at = (index: number) => `TaskTemplate.Resources.Reservations.GenericResources[${index}]`;
  for (const [index, { DiscreteResourceSpec, NamedResourceSpec }] of wanted.entries()) {
    if (NamedResourceSpec || !DiscreteResourceSpec) {
      throw invalid(`${at(index)}: a service reserves a number of a kind (DiscreteResourceSpec), not one by its name`);
    }
    const { Kind, Value = 0 } = DiscreteResourceSpec;
    if (Kind === '') throw invalid(`${at(index)}.DiscreteResourceSpec.Kind: must not be empty`);
    if (Value < 0) throw invalid(`${at(index)}.DiscreteResourceSpec.Value: cannot ask for negative resource ${Kind}`);
  }
}

function checkMounts(mounts: readonly Mount[]): void {
  const targets = new Set<string>();
  for (const mount of mounts) {
    const target = mount.Target ?? '';
    if (!target.startsWith('/')) throw invalid(`invalid mount target, must be an absolute path: ${target}`);
    if (targets.has(target)) throw invalid(`ContainerSpec: duplicate mount point: ${target}`);
    targets.add(target);
    checkMountSource(mount);
  }
}

function checkMountSource({ Type, Source = '' }: Mount): void {
  if (Type === 'bind' && !Source.startsWith('/')) {
    throw invalid(`invalid bind mount source, must be an absolute path: ${Source}`);
  }
  if (Type === 'volume' && Source.startsWith('/')) {
    throw invalid(`invalid volume mount source, must not be an absolute path: ${Source}`);
  }
}

function checkEndpoint(endpoint: EndpointSpec | undefined): void {
  const seen = new Set<string>();
  for (const port of endpoint?.Ports ?? []) {
    if (endpoint?.Mode === 'dnsrr' && port.PublishMode === 'ingress') {
      throw invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
    }
    if (!port.PublishedPort) continue;
    if (seen.has(portKey(port))) throw invalid('EndpointSpec: duplicate published ports provided');
    seen.add(portKey(port));
  }
}
