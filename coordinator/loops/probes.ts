/** Asks whether a silent node can still be reached: this coordinator itself and up to two other nodes. */
import type { Bus } from '../../bus/bus.ts';
import { ProbeReply, type ProbeRequest } from '../../model/messages.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { TcpProbe } from '../../runtime/tcp-probe.ts';
import type { ProbeOutcome } from '../store/liveness.ts';
import type { Snapshot } from '../store/snapshot.ts';

const PROBE_TIMEOUT_MS = 500;
const ANSWER_TIMEOUT_MS = 700;
const OTHER_NODES_ASKED = 2;

export interface ProbeParts {
  readonly bus: Pick<Bus, 'askNode'>;
  readonly probe: TcpProbe;
}

/** What all who were asked make of it together: one that gets through is enough. Never throws. */
export async function probeNode(nodeId: string, snapshot: Snapshot, parts: ProbeParts): Promise<ProbeOutcome> {
  const record = snapshot.nodes.get(nodeId)?.value;
  if (!record) return 'unreachable';
  const request = { address: record.address, port: record.agentPort, timeoutMs: PROBE_TIMEOUT_MS };
  const askers = askersFor(nodeId, snapshot).map((asker) => askToProbe(asker, request, parts.bus));
  const replies = await Promise.all([probeHere(request, parts.probe), ...askers]);
  return outcomeOf(replies.filter((reply) => reply !== undefined));
}

/** An address or a port that is none is refused before anything is sent. */
async function probeHere(request: ProbeRequest, probe: TcpProbe): Promise<ProbeReply> {
  try {
    return await probe(request);
  } catch (error) {
    return { reachable: false, error: messageOf(error) };
  }
}

function askersFor(nodeId: string, snapshot: Snapshot): readonly string[] {
  const ready = [...snapshot.liveness].filter(([id, { state }]) => id !== nodeId && state === 'ready');
  return ready.slice(0, OTHER_NODES_ASKED).map(([id]) => id);
}

/** A node that does not answer has no say. */
async function askToProbe(
  asker: string,
  request: ProbeRequest,
  bus: ProbeParts['bus'],
): Promise<ProbeReply | undefined> {
  try {
    return await bus.askNode(asker, 'probe', request, ProbeReply, ANSWER_TIMEOUT_MS);
  } catch {
    return undefined;
  }
}

function outcomeOf(replies: readonly ProbeReply[]): ProbeOutcome {
  if (replies.some((reply) => reply.reachable)) return 'reachable';
  return replies.some((reply) => reply.error?.includes('ECONNREFUSED')) ? 'refused' : 'unreachable';
}
