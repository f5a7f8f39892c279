/** Ports a service asks for that programs on the nodes hold: refused when they are asked for, not when its tasks fail. */
import type { Bus } from '../../bus/bus.ts';
import { HeldPortsReply, type HostPortNumber } from '../../model/host-ports.ts';
import type { PortConfig } from '../../model/service-spec.ts';
import { nodeName } from '../store/node-names.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { invalid } from './errors.ts';
import { dynamicNumbers, isUnsettled, portKey, withKeptNumbers } from './ports.ts';

export interface HeldPortsParts {
  readonly bus: Pick<Bus, 'askNode'>;
  readonly snapshot: () => Snapshot;
}

/** No request takes more. */
const MOST_PORTS_ASKED = 1_000;

/** Dynamic numbers asked about beyond those needed: a host with more programs in a row there is asked once more. */
const SPARE_NUMBERS = 100;

/** A node that does not answer in time is not known to hold anything. */
const ANSWER_MS = 500;

/** What the nodes in service say their own programs hold. */
export interface HeldPorts {
  /** By port key. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** Those that were asked. */
  readonly nodeIds: readonly string[];
}

export const noPortsHeld: HeldPorts = { holders: new Map(), nodeIds: [] };

/** What a service asks for, what it has, and the keys others have. */
export interface PortsWish {
  readonly wanted: readonly PortConfig[];
  readonly before: readonly PortConfig[];
  readonly taken: ReadonlySet<string>;
}

/**
 * Asks the nodes about ports that services have not had before, and about as many dynamic numbers as it takes to find those
 * `settlePorts` will give out.
 */
export async function askHeldPorts(wishes: readonly PortsWish[], parts: HeldPortsParts): Promise<HeldPorts> {
  const asked = wishes.flatMap(newPorts).map(numberOf);
  const kept = wishes.flatMap(({ wanted, before, taken }) => withKeptNumbers(wanted, before, taken));
  const unsettled = kept.filter(isUnsettled).map(({ Protocol }) => Protocol);
  if (asked.length === 0 && unsettled.length === 0) return noPortsHeld;
  const nodeIds = activeNodes(parts.snapshot());
  const holders = await holdersOf(asked, nodeIds, parts);
  const used = new Set([...wishes.flatMap(({ taken }) => [...taken]), ...kept.map(portKey)]);
  for (const protocol of new Set(unsettled)) {
    const count = unsettled.filter((other) => other === protocol).length;
    await askDynamic([...dynamicNumbers(protocol, used)], count, async (numbers) => {
      const page = numbers.map((port) => ({ protocol, port }));
      const found = await holdersOf(page, nodeIds, parts);
      for (const [key, on] of found) holders.set(key, on);
      return found.size;
    });
  }
  return { holders, nodeIds };
}

/** Page by page, until `count` of the numbers are known to be free; `ask` answers how many of a page are held. */
async function askDynamic(
  numbers: readonly number[],
  count: number,
  ask: (page: readonly number[]) => Promise<number>,
): Promise<void> {
  const page = numbers.slice(0, count + SPARE_NUMBERS);
  if (page.length === 0) return;
  const free = page.length - (await ask(page));
  if (free < count) await askDynamic(numbers.slice(page.length), count - free, ask);
}

/**
 * Throws `invalid` where a port that was not there before cannot be served: an ingress port is answered by every node, so
 * one node's program is enough; one of the host itself needs a node where it is free. Pure.
 */
export function refuseHeldPorts(
  wish: Pick<PortsWish, 'wanted' | 'before'>,
  { holders, nodeIds }: HeldPorts,
  snapshot: Snapshot,
): void {
  for (const port of newPorts(wish)) {
    const on = holders.get(portKey(port)) ?? [];
    const isRefused = port.PublishMode === 'ingress' ? on.length > 0 : on.length > 0 && on.length === nodeIds.length;
    if (isRefused) throw portHeld(port, on, snapshot);
  }
}

function newPorts({ wanted, before }: Pick<PortsWish, 'wanted' | 'before'>): PortConfig[] {
  const known = new Set(before.map(portKey));
  return wanted.filter((port) => port.PublishedPort && !known.has(portKey(port)));
}

function portHeld(port: PortConfig, on: readonly string[], snapshot: Snapshot): Error {
  const nodes = on.map((id) => nodeName(snapshot, id)).sort();
  const words = `node${nodes.length > 1 ? 's' : ''} ${nodes.join(', ')}`;
  const advice = 'stop it, publish another port, or pause or drain the node';
  return invalid(
    `port '${port.PublishedPort}/${port.Protocol}' is already in use by another program on ${words}: ${advice}`,
  );
}

/** What is said of a node that was taken out of service keeps nobody from publishing a port. */
function activeNodes({ liveness, nodes, nodeSpecs }: Snapshot): string[] {
  const isActive = (id: string) => nodeSpecs.get(id)?.value.availability === 'active';
  return [...nodes.keys()].filter((id) => liveness.get(id)?.state === 'ready' && isActive(id));
}

function numberOf({ Protocol, PublishedPort = 0 }: PortConfig): HostPortNumber {
  return { protocol: Protocol, port: PublishedPort };
}

/** By port key. */
async function holdersOf(
  ports: readonly HostPortNumber[],
  nodeIds: readonly string[],
  { bus }: HeldPortsParts,
): Promise<Map<string, string[]>> {
  const holders = new Map<string, string[]>();
  const starts = Array.from(
    { length: Math.ceil(ports.length / MOST_PORTS_ASKED) },
    (_, page) => page * MOST_PORTS_ASKED,
  );
  const ask = async (nodeId: string, start: number) => {
    const page = { ports: ports.slice(start, start + MOST_PORTS_ASKED) };
    const { held } = await bus.askNode(nodeId, 'held-ports', page, HeldPortsReply, ANSWER_MS);
    for (const { protocol, port } of held) {
      const key = `${protocol}/${port}`;
      holders.set(key, [...(holders.get(key) ?? []), nodeId]);
    }
  };
  const asked = nodeIds.flatMap((nodeId) => starts.map((start) => ask(nodeId, start).catch(() => undefined)));
  await Promise.all(asked);
  return holders;
}
