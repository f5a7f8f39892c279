/** The HostConfig of a task's container: limits, mounts, privileges, ports, network, logs. */
import { overlayAttachments } from '../model/overlay-attachments.ts';
import type { ContainerSpec, Mount, TaskTemplate } from '../model/service-spec.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { PlimsollError } from '../runtime/errors.ts';
import { expandTemplate, type TemplateWords } from '../runtime/task-template.ts';
import { refuseBeyondEngine } from './engine-gates.ts';
import { hostAccess } from './host-access.ts';
import { securityOptions } from './security-options.ts';

/** What containers get to know of the host they run on. */
export interface HostPlace {
  readonly clusterId: string;
  readonly hostname: string;
  readonly os: string;
  readonly architecture: string;
  /** The Engine API version the host's engine speaks. */
  readonly apiVersion: string;
  /** The engine would let logs grow for ever (json-file without limits): give containers limits of our own. */
  readonly logsUnbounded: boolean;
}

const LOG_LIMITS = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } };

/** Throws `unsupported` for what this agent cannot honour: nothing is ignored silently. */
export function hostConfig(record: TaskRecord, words: TemplateWords, place: HostPlace): Record<string, unknown> {
  const { template } = record;
  const spec = template.ContainerSpec;
  refuseUnsupported(template);
  refuseBeyondEngine(spec, place.apiVersion);
  return {
    ...resources(template),
    ...privileges(spec),
    ...hostAccess(record.serviceLabels, securityOptions(spec.Privileges)),
    NetworkMode: networkMode(template),
    RestartPolicy: { Name: 'no' },
    Mounts: spec.Mounts?.map((mount) => expandMount(mount, words)),
    PortBindings: portBindings(record),
    LogConfig: logConfig(template, place),
    ReadonlyRootfs: spec.ReadOnly,
    ExtraHosts: spec.Hosts?.flatMap(extraHosts),
    Dns: spec.DNSConfig?.Nameservers,
    DnsSearch: spec.DNSConfig?.Search,
    DnsOptions: spec.DNSConfig?.Options,
    Init: spec.Init,
    Sysctls: spec.Sysctls,
    Ulimits: spec.Ulimits,
    OomScoreAdj: spec.OomScoreAdj,
  };
}

function refuseUnsupported(template: TaskTemplate): void {
  const spec = template.ContainerSpec;
  const refused = [
    spec.Isolation && spec.Isolation !== 'default' && 'ContainerSpec.Isolation',
    spec.Privileges?.CredentialSpec && 'ContainerSpec.Privileges.CredentialSpec',
    ...(spec.Mounts ?? []).map(
      (mount) => ['npipe', 'cluster', 'image'].includes(mount.Type) && `Mount type ${mount.Type}`,
    ),
  ].filter(Boolean);
  if (refused.length > 0) throw new PlimsollError('unsupported', `Plimsoll does not support ${refused.join(', ')} yet`);
}

function resources({ Resources }: TaskTemplate): Record<string, unknown> {
  const limits = Resources?.Limits;
  const swapBytes = Resources?.SwapBytes;
  return {
    NanoCpus: limits?.NanoCPUs,
    Memory: limits?.MemoryBytes,
    MemoryReservation: Resources?.Reservations?.MemoryBytes,
    MemorySwap: swapBytes === undefined || swapBytes < 0 ? swapBytes : swapBytes + (limits?.MemoryBytes ?? 0),
    MemorySwappiness: Resources?.MemorySwappiness,
    PidsLimit: limits?.Pids,
  };
}

function privileges(spec: ContainerSpec): Record<string, unknown> {
  return {
    CapAdd: spec.CapabilityAdd,
    CapDrop: spec.CapabilityDrop,
    GroupAdd: spec.Groups,
  };
}

/** One of the engine's own networks; without any, its default bridge. The cluster's are put in later. */
function networkMode(template: TaskTemplate): string | undefined {
  const ours = new Set(overlayAttachments(template).map(({ Target }) => Target));
  const targets = (template.Networks ?? [])
    .map((network) => network.Target)
    .filter((target) => target !== 'ingress' && !ours.has(target));
  if (targets.length === 0) return undefined;
  const [only] = targets;
  if (targets.length === 1 && only !== undefined && ['host', 'none', 'bridge', 'default'].includes(only)) return only;
  throw new PlimsollError('unsupported', `Plimsoll does not support the networks ${targets.join(', ')} yet`);
}

function expandMount(mount: Mount, words: TemplateWords): Record<string, unknown> {
  return {
    ...mount,
    Source: mount.Source === undefined ? undefined : expandTemplate(mount.Source, words),
    Target: mount.Target === undefined ? undefined : expandTemplate(mount.Target, words),
    VolumeOptions: mount.VolumeOptions && expandVolumeOptions(mount.VolumeOptions, words),
  };
}

function expandVolumeOptions(options: NonNullable<Mount['VolumeOptions']>, words: TemplateWords) {
  const { Labels, DriverConfig: driver } = options;
  const DriverConfig = driver && { ...driver, Options: driver.Options && expandValues(driver.Options, words) };
  return { ...options, Labels: Labels && expandValues(Labels, words), DriverConfig };
}

function expandValues(texts: Readonly<Record<string, string>>, words: TemplateWords): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, expandTemplate(text, words)]));
}

/** Only host-mode ports are the engine's to serve; ingress ports are the node's own table. */
function portBindings(record: TaskRecord): Record<string, { HostPort: string }[]> | undefined {
  const ports = record.ports.filter((port) => port.PublishMode === 'host');
  if (ports.length === 0) return undefined;
  const bindings: Record<string, { HostPort: string }[]> = {};
  for (const port of ports) {
    const key = `${port.TargetPort}/${port.Protocol}`;
    bindings[key] = [
      ...(bindings[key] ?? []),
      { HostPort: port.PublishedPort === 0 ? '' : String(port.PublishedPort) },
    ];
  }
  return bindings;
}

function logConfig(template: TaskTemplate, place: HostPlace): Record<string, unknown> | undefined {
  const driver = template.LogDriver;
  if (driver?.Name || driver?.Options) return { Type: driver.Name ?? '', Config: driver.Options ?? {} };
  return place.logsUnbounded ? LOG_LIMITS : undefined;
}

/** Swarm writes hosts as /etc/hosts does ("address name name"), the create call wants "name:address". */
function extraHosts(line: string): string[] {
  const [address, ...names] = line.split(/\s+/);
  return names.map((name) => `${name}:${address}`);
}
