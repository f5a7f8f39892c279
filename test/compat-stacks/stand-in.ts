/**
 * A stack file made runnable anywhere: local stand-ins for its images and for what it mounts of its hosts, and a list of
 * everything else that had to be changed, so that nothing is changed behind the reader's back. Pure.
 */
import { parse, stringify } from 'yaml';
import { z } from 'zod';

export const STAND_IN_IMAGE = 'plimsoll/stand-in:1';

export interface RunnableStack {
  readonly yaml: string;
  /** Files beside the stack's, to be made with any content. */
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What must be there before. */
  readonly external: Readonly<Record<ExternalKind, readonly string[]>>;
  /** Labels a worker needs for the constraints. */
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** What was changed beyond images, binds and environment: a sentence each. */
  readonly changes: readonly string[];
}

type ExternalKind = 'networks' | 'secrets' | 'configs' | 'volumes';

const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const External = z.union([z.boolean(), z.object({ name: z.string() })]);
const Definition = z.looseObject({
  name: z.string().optional(),
  external: External.optional(),
  file: z.string().optional(),
  driver: z.string().optional(),
  driver_opts: z.record(z.string(), Text).optional(),
  ipam: z.unknown().optional(),
});
type Definition = z.infer<typeof Definition>;
const Service = z.looseObject({
  image: z.string(),
  env_file: z.union([z.string(), z.array(z.string())]).optional(),
  volumes: z
    .array(
      z.union([z.string(), z.looseObject({ type: z.string(), source: z.string().optional(), target: z.string() })]),
    )
    .optional(),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.looseObject({}).nullable())]).optional(),
  healthcheck: z.looseObject({}).optional(),
  logging: z.looseObject({ driver: z.string().optional() }).optional(),
  deploy: z
    .looseObject({
      endpoint_mode: z.string().optional(),
      placement: z.looseObject({ constraints: z.array(z.string()).optional() }).optional(),
      resources: z
        .looseObject({
          limits: z.looseObject({ cpus: Text.optional() }).optional(),
          reservations: z.looseObject({ cpus: Text.optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
  ports: z.array(z.unknown()).optional(),
  ulimits: z.record(z.string(), z.union([z.number(), z.object({ soft: z.number(), hard: z.number() })])).optional(),
});
type Service = z.infer<typeof Service>;
const Definitions = z.record(z.string(), Definition.nullable()).optional();
const Stack = z.looseObject({
  services: z.record(z.string(), Service),
  networks: Definitions,
  volumes: Definitions,
  secrets: Definitions,
  configs: Definitions,
});
type Stack = z.infer<typeof Stack>;

/** `openFilesAtMost`: what a process of this machine may raise its limit to; containers get no more. */
export function runnableStack(text: string, openFilesAtMost = Number.POSITIVE_INFINITY): RunnableStack {
  const stack = Stack.parse(parse(text, { merge: true }));
  const changes: string[] = [];
  const nodeLabels: Record<string, string> = {};
  for (const [name, service] of Object.entries(stack.services)) {
    service.image = STAND_IN_IMAGE;
    standInMounts(name, service, changes);
    standInHost(name, service, changes, nodeLabels);
    limitOpenFiles(name, service, openFilesAtMost, changes);
  }
  defineNetworks(stack, changes);
  for (const kind of ['volumes', 'networks'] as const) dropDrivers(kind, stack[kind] ?? {}, changes);
  for (const kind of ['secrets', 'configs'] as const) dropWithoutSource(kind, stack[kind] ?? {}, changes);
  return {
    yaml: stringify(stack),
    files: filesOf(stack),
    environment: environmentOf(text),
    external: externalsOf(stack),
    nodeLabels,
    changes,
  };
}

/** Paths of the host are /etc: it is everywhere. */
function standInMounts(name: string, service: Service, changes: string[]): void {
  const targets = new Set<string>();
  service.volumes = service.volumes?.flatMap((volume) => {
    const mount = typeof volume === 'string' ? shortMount(volume) : volume;
    if (mount.type === 'cluster') {
      changes.push(`${name}: the volume of a CSI driver at ${mount.target} is left out`);
      return [];
    }
    if (targets.has(mount.target)) {
      changes.push(`${name}: the second mount at ${mount.target} is left out`);
      return [];
    }
    targets.add(mount.target);
    return [mount.type === 'bind' ? { ...mount, source: '/etc' } : mount];
  });
}

function shortMount(words: string): { type: string; source?: string; target: string; read_only?: boolean } {
  const [source = '', target, mode] = words.split(':');
  if (target === undefined) return { type: 'volume', target: source };
  const type = /^[./~]/.test(source) ? 'bind' : 'volume';
  return { type, source, target: target.replace(/(.)\/$/, '$1'), ...(mode === 'ro' && { read_only: true }) };
}

function standInHost(name: string, service: Service, changes: string[], labels: Record<string, string>): void {
  const { deploy, logging } = service;
  if (logging?.driver !== undefined && logging.driver !== 'json-file') {
    changes.push(`${name}: logs go to json-file, not to ${logging.driver}, which is not there`);
    service.logging = {};
  }
  if (deploy?.endpoint_mode === 'dnsrr' && service.ports?.length) {
    changes.push(`${name}: endpoint_mode dnsrr is left out: Swarm refuses it beside ports of the routing mesh`);
    delete deploy.endpoint_mode;
  }
  const reservations = deploy?.resources?.reservations;
  if (reservations?.cpus !== undefined && Number(reservations.cpus) < 0.001) {
    changes.push(`${name}: reserves 0.001 CPUs, not ${reservations.cpus}: Swarm takes no less`);
    reservations.cpus = '0.001';
  }
  if (reservations?.['generic_resources'] !== undefined) {
    changes.push(`${name}: generic resources are left out: no node here has any`);
    delete reservations['generic_resources'];
  }
  limitProcessor(name, service, changes);
  if (service.healthcheck?.['start_interval'] !== undefined) {
    changes.push(`${name}: the health check's start_interval is left out: older engines have none`);
    delete service.healthcheck['start_interval'];
  }
  constrain(name, service, changes, labels);
  plainAttachments(name, service, changes);
}

function limitProcessor(name: string, { deploy }: Service, changes: string[]): void {
  const limits = deploy?.resources?.limits;
  if (limits?.cpus === undefined || Number(limits.cpus) >= 0.01) return;
  changes.push(
    `${name}: may use 0.5 CPUs, not ${limits.cpus}: the kernel takes no less than 0.01, too few for its health check`,
  );
  limits.cpus = '0.5';
}

function limitOpenFiles(name: string, { ulimits }: Service, atMost: number, changes: string[]): void {
  const asked = ulimits?.['nofile'];
  const wanted = typeof asked === 'object' ? asked : { soft: asked, hard: asked };
  if (ulimits === undefined || !(Number(wanted.hard) > atMost)) return;
  const soft = Math.min(Number(wanted.soft), atMost);
  changes.push(`${name}: may open ${atMost} files, not ${wanted.hard}: this machine allows no more`);
  ulimits['nofile'] = { soft, hard: atMost };
}

function constrain(name: string, { deploy }: Service, changes: string[], labels: Record<string, string>): void {
  if (deploy?.placement?.constraints === undefined) return;
  deploy.placement.constraints = deploy.placement.constraints.filter((constraint) => {
    const [, label, value] = /^node\.labels\.(\S+)\s*==\s*(\S+)$/.exec(constraint) ?? [];
    if (label !== undefined && value !== undefined) labels[label] = value;
    if (/[=!]=/.test(constraint)) return true;
    changes.push(`${name}: the constraint "${constraint}" is left out: Swarm refuses it`);
    return false;
  });
}

function plainAttachments(name: string, { networks }: Service, changes: string[]): void {
  if (networks === undefined || Array.isArray(networks)) return;
  for (const [network, attachment] of Object.entries(networks)) {
    if (attachment?.['driver_opts'] === undefined) continue;
    changes.push(`${name}: driver options on the network ${network} are left out: no overlay driver has them`);
    delete attachment['driver_opts'];
  }
}

function defineNetworks(stack: Stack, changes: string[]): void {
  for (const [service, { networks = [] }] of Object.entries(stack.services)) {
    for (const name of Array.isArray(networks) ? networks : Object.keys(networks)) {
      if (name === 'default' || stack.networks?.[name] !== undefined) continue;
      changes.push(`${service}: the network ${name} is defined: the file uses it without`);
      stack.networks = { ...stack.networks, [name]: {} };
    }
  }
}

function dropDrivers(
  kind: 'volumes' | 'networks',
  definitions: Record<string, Definition | null>,
  changes: string[],
): void {
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition === null) continue;
    if (kind === 'volumes' && definition['x-cluster-spec'] !== undefined) {
      delete definitions[name];
      continue;
    }
    const isOurs = kind === 'volumes' ? 'local' : 'overlay';
    const isForeign = definition.driver !== undefined && !/^(local|overlay|\$\{.*:-local\})$/.test(definition.driver);
    const options = Object.keys(definition.driver_opts ?? {});
    if (!isForeign && options.length === 0 && definition.ipam === undefined) continue;
    changes.push(
      `${kind} ${name}: plain ${isOurs}, without ${[definition.driver, ...options, definition.ipam && 'ipam'].filter(Boolean).join(', ')}`,
    );
    delete definition.driver;
    delete definition.driver_opts;
    delete definition.ipam;
  }
}

function dropWithoutSource(
  kind: 'secrets' | 'configs',
  definitions: Record<string, Definition | null>,
  changes: string[],
): void {
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition?.file !== undefined || definition?.external !== undefined) continue;
    changes.push(`${kind} ${name} is left out: the CLI finds no file for it`);
    delete definitions[name];
  }
}

function filesOf({ services, secrets, configs }: Stack): string[] {
  const definitions = [...Object.values(secrets ?? {}), ...Object.values(configs ?? {})];
  const named = definitions.flatMap((definition) => definition?.file ?? []);
  return [...named, ...Object.values(services).flatMap((service) => service.env_file ?? [])];
}

/** Variables without a default, whether an error asks for them or not. */
function environmentOf(text: string): Record<string, string> {
  const wanted = [...text.matchAll(/(?<!\$)\$\{(\w+)(?:\}|\??:?\?)/g)].flatMap((match) => match[1] ?? []);
  return Object.fromEntries(wanted.map((name) => [name, name.toLowerCase()]));
}

function externalsOf(stack: Stack): RunnableStack['external'] {
  const named = (definitions: Record<string, Definition | null> = {}) =>
    Object.entries(definitions).flatMap(([name, definition]) => {
      const { external } = definition ?? {};
      if (external === undefined || external === false) return [];
      return [typeof external === 'object' ? external.name : (definition?.name ?? name)];
    });
  return {
    networks: named(stack.networks),
    secrets: named(stack.secrets),
    configs: named(stack.configs),
    volumes: named(stack.volumes),
  };
}
