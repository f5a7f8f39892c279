/** Published ports: settling unset numbers and finding who else has one. Pure. */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { PortConfig, ServiceSpec } from '../../model/service-spec.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { invalid } from './errors.ts';

/** Where numbers for ingress ports without one come from; the same range as Swarm's. */
const FIRST_DYNAMIC_PORT = 30_000;
const LAST_DYNAMIC_PORT = 32_767;

/** `tcp/80`: one place on the cluster's own addresses. */
export const portKey = (port: PortConfig): string => `${port.Protocol}/${port.PublishedPort ?? 0}`;

export const ingressPorts = (ports: readonly PortConfig[]): PortConfig[] =>
  ports.filter((port) => port.PublishMode === 'ingress');

/** Whether a number is still to be given: host ports without one are Docker's to number. */
export const isUnsettled = ({ PublishMode, PublishedPort }: PortConfig): boolean =>
  PublishMode === 'ingress' && !PublishedPort;

/**
 * A specification's ports with every ingress number settled. A port that had a number keeps it; a new one gets the lowest
 * number of the dynamic range that nobody in `taken` (port keys) has. Host ports without a number stay so: Docker picks.
 */
export function settlePorts(
  spec: ServiceSpec,
  before: readonly PortConfig[],
  taken: ReadonlySet<string>,
): PortConfig[] {
  const kept = withKeptNumbers(spec.EndpointSpec?.Ports ?? [], before, taken);
  const used = new Set([...taken, ...kept.map(portKey)]);
  return kept.map((port) => {
    if (!isUnsettled(port)) return port;
    const settled = { ...port, PublishedPort: freeNumber(port, used) };
    used.add(portKey(settled));
    return settled;
  });
}

/** The ports, with the numbers those without one had before; the others are unsettled yet. */
export function withKeptNumbers(
  wanted: readonly PortConfig[],
  before: readonly PortConfig[],
  taken: ReadonlySet<string>,
): PortConfig[] {
  const used = new Set([...taken, ...wanted.map(portKey)]);
  return wanted.map((port) => {
    const number = isUnsettled(port) ? previousNumber(port, before, used) : undefined;
    if (number === undefined) return port;
    const kept = { ...port, PublishedPort: number };
    used.add(portKey(kept));
    return kept;
  });
}

function previousNumber(
  port: PortConfig,
  before: readonly PortConfig[],
  used: ReadonlySet<string>,
): number | undefined {
  const isSame = (old: PortConfig) =>
    old.PublishMode === 'ingress' && old.Protocol === port.Protocol && old.TargetPort === port.TargetPort;
  return before.find((old) => isSame(old) && !used.has(portKey(old)))?.PublishedPort;
}

function freeNumber({ Protocol }: PortConfig, used: ReadonlySet<string>): number {
  const [lowest] = dynamicNumbers(Protocol, used);
  if (lowest !== undefined) return lowest;
  const range = `${FIRST_DYNAMIC_PORT}-${LAST_DYNAMIC_PORT}`;
  throw new PlimsollError('precondition', `no ${Protocol} port of ${range} is free: publish on a number of your own`);
}

/** Numbers of the dynamic range that are not in `used` (port keys), in the order in which they are given out. */
export function* dynamicNumbers(protocol: PortConfig['Protocol'], used: ReadonlySet<string>): Generator<number> {
  for (let number = FIRST_DYNAMIC_PORT; number <= LAST_DYNAMIC_PORT; number++) {
    if (!used.has(`${protocol}/${number}`)) yield number;
  }
}

/** Keys of the ingress ports services have. */
export function ingressKeys(services: Iterable<ServiceRecord>): Set<string> {
  return new Set([...services].flatMap(({ ports }) => ingressPorts(ports).map(portKey)));
}

/** Throws `invalid`, in Swarm's words, when another service has one of the ports. Two host ports may meet: placement decides. */
export function refuseTakenPorts(ports: readonly PortConfig[], others: Iterable<ServiceRecord>): void {
  for (const { mine, owner, mode } of takenPorts(ports, others)) throw portTaken(mine, owner, mode);
}

export interface TakenPort {
  readonly mine: PortConfig;
  readonly owner: ServiceRecord;
  readonly mode: PortConfig['PublishMode'];
}

export function takenPorts(ports: readonly PortConfig[], others: Iterable<ServiceRecord>): TakenPort[] {
  const taken: TakenPort[] = [];
  for (const owner of others) {
    for (const theirs of owner.ports) {
      const mine = ports.find((port) => port.PublishedPort && portKey(port) === portKey(theirs));
      if (mine === undefined || (mine.PublishMode === 'host' && theirs.PublishMode === 'host')) continue;
      taken.push({ mine, owner, mode: theirs.PublishMode });
    }
  }
  return taken;
}

/** The refusal of a port another service has. */
export function portTaken(
  port: PortConfig,
  owner: { readonly id: string; readonly spec: { readonly Name: string } },
  mode: PortConfig['PublishMode'],
): PlimsollError {
  const kind = mode === 'ingress' ? 'an ingress port' : 'a host-published port';
  return invalid(
    `port '${port.PublishedPort ?? 0}' is already in use by service '${owner.spec.Name}' (${owner.id}) as ${kind}`,
  );
}
