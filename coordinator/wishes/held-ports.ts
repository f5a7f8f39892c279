/** Ports a service asks for that programs on the nodes hold: refused when they are asked for, not when its tasks fail. */
import type { Bus } from '../../bus/bus.ts';
import { HeldPortsReply, type HostPortNumber } from '../../model/host-ports.ts';
import type { PortConfig } from '../../model/service-spec.ts';
import { nodeName } from '../store/node-names.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { invalid } from './errors.ts';
import { portKey } from './ports.ts';

export interface HeldPortsParts {
  readonly bus: Pick<Bus, 'askNode'>;
  readonly snapshot: () => Snapshot;
}

/** No request takes more. */
const MOST_PORTS_ASKED = 1_000;

/** A node that does not answer in time is not known to hold anything. */
const ANSWER_MS = 500;

/**
 * Throws `invalid` where a port that was not there before cannot be served: an ingress port is answered by every node, so
 * one node's program is enough; one of the host itself needs a node where it is free.
 */
export async function refuseHeldPorts(
  wanted: readonly PortConfig[],
  before: readonly PortConfig[],
  parts: HeldPortsParts,
): Promise<void> {
  const known = new Set(before.map(portKey));
  const asked = wanted.filter((port) => port.PublishedPort && !known.has(portKey(port)));
  if (asked.length === 0) return;
  const nodeIds = activeNodes(parts.snapshot());
  const holders = await holdersOf(asked.map(numberOf), nodeIds, parts);
  for (const port of asked) {
    const on = holders.get(portKey(port)) ?? [];
    const isRefused = port.PublishMode === 'ingress' ? on.length > 0 : on.length > 0 && on.length === nodeIds.length;
    if (isRefused) throw portHeld(port, on, parts.snapshot());
  }
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
