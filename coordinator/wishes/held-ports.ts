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
  const nodeIds = readyNodes(parts.snapshot());
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
  return invalid(`port '${port.PublishedPort}/${port.Protocol}' is already in use by another program on ${words}`);
}

function readyNodes({ liveness, nodes }: Snapshot): string[] {
  return [...nodes.keys()].filter((id) => liveness.get(id)?.state === 'ready');
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
  const ask = async (nodeId: string) => {
    const { held } = await bus.askNode(nodeId, 'held-ports', { ports }, HeldPortsReply, ANSWER_MS);
    for (const { protocol, port } of held) {
      const key = `${protocol}/${port}`;
      holders.set(key, [...(holders.get(key) ?? []), nodeId]);
    }
  };
  await Promise.all(nodeIds.map((nodeId) => ask(nodeId).catch(() => undefined)));
  return holders;
}
