/** What this node answers about the cluster's networks on its host: whether they are as they should be, where a way breaks. */
import type { Bus, Subscription } from '../bus/bus.ts';
import { HeldPortsRequest, type HostPortNumber } from '../model/host-ports.ts';
import {
  type CheckFinding,
  HostCheckReply,
  HostCheckRequest,
  PathCheckReply,
  PathCheckRequest,
} from '../model/network-check.ts';
import { messageOf } from '../runtime/errors.ts';
import { broken } from './network/check/findings.ts';
import { checkHost } from './network/check/host-check.ts';
import { checkPath } from './network/check/path-check.ts';
import type { PathProbe } from './network/check/path-probe.ts';
import type { CommandRunner } from './network/command-runner.ts';
import { claimedPorts, portKey } from './network/held-ports.ts';
import type { ProcFiles } from './network/loopback-routing.ts';
import type { Overlay } from './network/overlay/overlay.ts';
import { planOverlay } from './network/overlay/plan-overlay.ts';
import type { TunnelProbe } from './network/watch/tunnel-probe.ts';
import type { TasksHere } from './tasks-here.ts';

/** How the kernel of this host is looked at. */
export interface NetworkTools {
  readonly run: CommandRunner;
  readonly files: Pick<ProcFiles, 'read'>;
  readonly probe: PathProbe;
  readonly probeTunnel: TunnelProbe;
}

export interface NetworkRequestParts {
  readonly bus: Bus;
  readonly nodeId: string;
  readonly tools: NetworkTools;
  readonly overlay: Pick<Overlay, 'snapshot'>;
  readonly here: TasksHere;
}

/** Answers until the subscriptions are stopped. */
export function answerNetworkChecks({ bus, nodeId, tools, overlay, here }: NetworkRequestParts): Subscription[] {
  const state = () => {
    const view = overlay.snapshot();
    return { ...view, plan: planOverlay(view) };
  };
  const processOf = (taskId: string) => here.task(taskId)?.containers.find(({ phase }) => phase === 'running')?.pid;
  return [
    bus.answer(nodeId, 'check-path', PathCheckRequest, async (request): Promise<PathCheckReply> => {
      const none = (findings: CheckFinding[]) => ({ findings, peers: [] });
      return checkPath({ ...tools, state, processOf }, request).catch((error: unknown) => none(unseen(error)));
    }),
    bus.answer(nodeId, 'held-ports', HeldPortsRequest, async ({ ports }) => {
      // A task that ends meanwhile is no program of the host's.
      const before = portsOfTasks(here);
      const held = await claimedPorts(tools.files);
      const own = new Set([...before, ...portsOfTasks(here)]);
      const isHeld = (port: HostPortNumber) => held.has(portKey(port)) && !own.has(portKey(port));
      return { held: ports.filter(isHeld) };
    }),
    bus.answer(nodeId, 'check-host', HostCheckRequest, async ({ peers }): Promise<HostCheckReply> => {
      return { findings: await checkHost(tools.run, state().plan, peers).catch(unseen) };
    }),
  ];
}

/** What the engine holds on the host for tasks, those it is about to stop included. */
function portsOfTasks(here: Pick<TasksHere, 'tasks'>): ReadonlySet<string> {
  const tasks = here.tasks();
  const asked = tasks.flatMap(({ record }) =>
    record.ports.map(({ Protocol, PublishedPort }) => [Protocol, PublishedPort] as const),
  );
  const given = tasks.flatMap(({ containers }) => containers.flatMap(({ hostPorts }) => hostPorts ?? []));
  return new Set([
    ...asked.map(([protocol, port]) => portKey({ protocol, port })),
    ...given.map(({ protocol, publishedPort: port }) => portKey({ protocol, port })),
  ]);
}

/** Where the host's own programs fail, that is the finding. */
function unseen(error: unknown): CheckFinding[] {
  const advice = 'The agent runs as root and needs the packages nftables, iproute2 and util-linux';
  return [broken('task', `this host cannot be looked at: ${messageOf(error)}`, advice)];
}
