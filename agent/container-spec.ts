/** What the engine is asked to create for one attempt of a task: Swarm's words in, the Engine API's create body out. */
import type { GenericResource } from '../model/generic-resources.ts';
import { containerLabels } from '../model/labels.ts';
import type { ContainerSpec } from '../model/service-spec.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { attemptId } from '../runtime/identifiers.ts';
import { expandTemplate, type TemplateWords } from '../runtime/task-template.ts';
import type { FileMount } from './files/task-files.ts';
import { type HostPlace, hostConfig } from './host-config.ts';

export interface ContainerRequest {
  readonly name: string;
  /** Body of POST /containers/create. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The create request of a task's attempt. Throws `invalid` or `unsupported`, naming the field. */
export function containerRequest(
  record: TaskRecord,
  attempt: number,
  place: HostPlace,
  files: readonly FileMount[] = [],
): ContainerRequest {
  const name = containerName(record, attempt);
  const words = templateWords(record, attempt, name, place);
  const body = {
    ...processConfig(record, words),
    ...portsExposed(record),
    Labels: labelsOf(record, attempt, name, place),
  };
  const HostConfig = withoutUnset(withFiles(hostConfig(record, words, place), files));
  return { name, body: withoutUnset({ ...body, HostConfig }) };
}

function withFiles(config: Record<string, unknown>, files: readonly FileMount[]): Record<string, unknown> {
  if (files.length === 0) return config;
  const { Mounts } = config;
  return { ...config, Mounts: [...(Array.isArray(Mounts) ? Mounts : []), ...files.map(readOnlyFile)] };
}

function readOnlyFile({ source, target }: FileMount): Record<string, unknown> {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: true };
}

/** What an attempt's templates and the templates among its files are expanded with. */
export function templateContext(record: TaskRecord, attempt: number, place: HostPlace) {
  const words = templateWords(record, attempt, containerName(record, attempt), place);
  return { words, environment: environmentOf(record.template.ContainerSpec, words) };
}

/** `service.slot.attempt id`, the node's id in place of a global service's slot: Swarm's container name. */
export function containerName(record: TaskRecord, attempt: number): string {
  return `${record.serviceName}.${slotName(record)}.${attemptId(record.id, attempt)}`;
}

function slotName(record: TaskRecord): string {
  return record.slot === 0 ? record.nodeId : String(record.slot);
}

function templateWords(record: TaskRecord, attempt: number, name: string, place: HostPlace): TemplateWords {
  return {
    service: { id: record.serviceId, name: record.serviceName, labels: record.serviceLabels },
    node: {
      id: record.nodeId,
      hostname: place.hostname,
      os: place.os,
      architecture: place.architecture,
      labels: record.nodeLabels ?? {},
    },
    task: { id: attemptId(record.id, attempt), name, slot: slotName(record) },
  };
}

function processConfig(record: TaskRecord, words: TemplateWords) {
  const spec = record.template.ContainerSpec;
  return {
    Image: spec.Image,
    Hostname: spec.Hostname === undefined ? undefined : expandTemplate(spec.Hostname, words),
    Env: [...environmentOf(spec, words), ...(record.generic ?? []).map(resourceVariable)],
    Entrypoint: spec.Command?.length ? spec.Command : undefined,
    Cmd: spec.Args?.length ? spec.Args : undefined,
    WorkingDir: spec.Dir,
    User: spec.User,
    Tty: spec.TTY,
    OpenStdin: spec.OpenStdin,
    StopSignal: spec.StopSignal,
    Healthcheck: spec.Healthcheck,
  };
}

/** Who it is, for programs that tell; the user's own variables come later and win. */
function environmentOf(spec: ContainerSpec, words: TemplateWords): string[] {
  return [
    `PLIMSOLL_SERVICE=${words.service.name}`,
    `PLIMSOLL_TASK=${words.task.name}`,
    `PLIMSOLL_NODE=${words.node.hostname}`,
    ...(spec.Env ?? []).map((entry) => expandTemplate(entry, words)),
  ];
}

/** Which of a host's GPUs it was given, or how many, as Swarm says it: above what the user says. */
function resourceVariable({ kind, count, names }: GenericResource): string {
  return `${`DOCKER_RESOURCE_${kind}`.toUpperCase()}=${names.length > 0 ? names.join(',') : count}`;
}

function portsExposed(record: TaskRecord) {
  const ports = record.ports.filter((port) => port.PublishMode === 'host');
  if (ports.length === 0) return {};
  return { ExposedPorts: Object.fromEntries(ports.map((port) => [`${port.TargetPort}/${port.Protocol}`, {}])) };
}

/** The user's labels, ours (adoption lives on them) and Swarm's (dashboards join on them). */
function labelsOf(record: TaskRecord, attempt: number, name: string, place: HostPlace): Record<string, string> {
  return {
    ...record.template.ContainerSpec.Labels,
    [containerLabels.cluster]: place.clusterId,
    [containerLabels.task]: record.id,
    [containerLabels.service]: record.serviceId,
    [containerLabels.slot]: String(record.slot),
    [containerLabels.revision]: String(record.revision),
    [containerLabels.attempt]: String(attempt),
    [containerLabels.swarmNodeId]: record.nodeId,
    [containerLabels.swarmServiceId]: record.serviceId,
    [containerLabels.swarmServiceName]: record.serviceName,
    [containerLabels.swarmTask]: '',
    [containerLabels.swarmTaskId]: attemptId(record.id, attempt),
    [containerLabels.swarmTaskName]: name,
  };
}

function withoutUnset(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
