/** `plim net check`: asks the agents at both ends of a way, and puts what they find into the order packets meet it. */
import type { Bus } from '../bus/bus.ts';
import {
  type CheckFinding,
  checkSteps,
  HostCheckReply,
  type NetworkCheck,
  PathCheckReply,
} from '../model/network-check.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Snapshot } from './store/snapshot.ts';

/** Agents wait for packets that do not come. */
const AGENT_MS = 8_000;
const DEFAULT_PORT = 80;

export interface NetworkCheckParts {
  snapshot(): Snapshot;
  readonly bus: Pick<Bus, 'askNode'>;
  readonly nameOf: (nodeId: string) => string;
}

type NodeFinding = NetworkCheck['findings'][number];

/** The way from a task to `host:port`. Throws `not-found` for a task there is none of, `invalid` for what is no place. */
export async function checkWay(parts: NetworkCheckParts, from: string, to: string): Promise<NetworkCheck> {
  const task = taskCalled(parts.snapshot(), from);
  const request = { taskId: task.id, ...placeOf(to) };
  const { findings, peers } = await parts.bus.askNode(task.nodeId, 'check-path', request, PathCheckReply, AGENT_MS);
  const far = await Promise.all(peers.map((nodeId) => hostFindings(parts, nodeId, [task.nodeId])));
  return answerOf([...at(parts, task.nodeId, findings), ...far.flat()]);
}

/** Every host of the cluster, without sending a packet. */
export async function checkHosts(parts: NetworkCheckParts): Promise<NetworkCheck> {
  const nodeIds = [...parts.snapshot().nodes.keys()];
  return answerOf((await Promise.all(nodeIds.map((nodeId) => hostFindings(parts, nodeId)))).flat());
}

async function hostFindings(
  parts: NetworkCheckParts,
  nodeId: string,
  peers?: readonly string[],
): Promise<NodeFinding[]> {
  const request = peers === undefined ? {} : { peers };
  try {
    const { findings } = await parts.bus.askNode(nodeId, 'check-host', request, HostCheckReply, AGENT_MS);
    return at(parts, nodeId, findings);
  } catch (error) {
    const says = `its agent does not tell: ${messageOf(error)}`;
    return at(parts, nodeId, [{ step: 'task', ok: false, says, advice: `plim why ${parts.nameOf(nodeId)}` }]);
  }
}

function at({ nameOf }: NetworkCheckParts, nodeId: string, findings: readonly CheckFinding[]): NodeFinding[] {
  return findings.map((finding) => ({ ...finding, node: nameOf(nodeId) }));
}

function answerOf(findings: readonly NodeFinding[]): NetworkCheck {
  const inOrder = findings.toSorted((a, b) => checkSteps.indexOf(a.step) - checkSteps.indexOf(b.step));
  return { ok: findings.every(({ ok }) => ok), findings: inOrder };
}

/** `web.1`, the id of a task, or a service: then its first task that runs. */
function taskCalled(snapshot: Snapshot, reference: string): TaskRecord {
  const isRunning = ({ id, desired }: TaskRecord) =>
    desired === 'running' && snapshot.statuses.get(id)?.value.state === 'running';
  const tasks = [...snapshot.tasks.values()].map(({ value }) => value).filter(isRunning);
  const names = (task: TaskRecord) => [task.id, `${task.serviceName}.${task.slot || task.nodeId}`, task.serviceName];
  const found = tasks.filter((task) => names(task).includes(reference)).sort((a, b) => a.slot - b.slot)[0];
  if (found) return found;
  throw new PlimsollError(
    'not-found',
    `No running task is called "${reference}": name a service, a task (web.1) or its id`,
  );
}

function placeOf(to: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^([^\s:/]+?)(?::(\d+))?$/.exec(to) ?? [];
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host !== undefined && number >= 1 && number <= 65_535) return { host, port: number };
  throw new PlimsollError(
    'invalid',
    `to: wants a name or an IPv4 address and a port, as api:8080, not ${JSON.stringify(to)}`,
  );
}
