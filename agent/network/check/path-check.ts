/** The way of a task's packets to a name and port: walked as its container would, compared with what should be there. */
import { isIPv4 } from 'node:net';
import type { CheckFinding, PathCheckReply, PathCheckRequest } from '../../../model/network-check.ts';
import type { NetRecord, NetworkEndpoint } from '../../../model/network-records.ts';
import { answerOf } from '../../dns/answer.ts';
import type { CommandRunner } from '../command-runner.ts';
import { rangeHolding } from '../overlay/addresses.ts';
import { OVERLAY_TABLE } from '../overlay/overlay-table.ts';
import type { LocalTask, OverlayView } from '../overlay/overlay-view.ts';
import type { OverlayPlan } from '../overlay/plan-overlay.ts';
import { broken, fine } from './findings.ts';
import { checkHost } from './host-check.ts';
import type { PathAnswers, PathProbe } from './path-probe.ts';

/** What the agent knows of its host's networks at one moment. */
export interface NetworkState extends OverlayView {
  readonly plan: OverlayPlan;
}

export interface PathCheckParts {
  readonly run: CommandRunner;
  readonly probe: PathProbe;
  readonly state: () => NetworkState;
  /** The process of a task's running container, whose network is looked from. */
  readonly processOf: (taskId: string) => number | undefined;
}

/** Of many ready tasks so many are tried. */
const TARGETS = 6;
/** IP and UDP headers. */
const HEADER_BYTES = 28;
const SMALL_BYTES = 8;

interface Target {
  readonly endpoint: NetworkEndpoint;
  /** Where it is; undefined on this host. */
  readonly peerId: string | undefined;
}

export async function checkPath(
  parts: PathCheckParts,
  { taskId, host, port }: PathCheckRequest,
): Promise<PathCheckReply> {
  const state = parts.state();
  const task = state.tasks.find((each) => each.taskId === taskId && each.addresses.length > 0);
  const pid = parts.processOf(taskId);
  if (task === undefined || pid === undefined) {
    const advice = 'See "plim why" for why it does not run; a task on no network of the cluster has nothing to check';
    return {
      findings: [broken('task', 'the task has no running container on a network of the cluster', advice)],
      peers: [],
    };
  }
  const named = await nameFindings(parts, { state, task, pid, host });
  if (named.address === undefined) return { findings: [...named.findings], peers: [] };
  const addressed = await addressFindings(parts.run, state, named.address);
  const peers = [...new Set(addressed.targets.flatMap(({ peerId }) => peerId ?? []))];
  const findings = [
    ...named.findings,
    ...addressed.findings,
    ...(await checkHost(parts.run, state.plan, peers)),
    ...(await walk(parts.probe, { state, task, pid, address: named.address, port, targets: addressed.targets })),
  ];
  return { findings, peers };
}

interface Named {
  readonly findings: readonly CheckFinding[];
  readonly address: string | undefined;
}

async function nameFindings(
  { probe }: PathCheckParts,
  from: { readonly state: NetworkState; readonly task: LocalTask; readonly pid: number; readonly host: string },
): Promise<Named> {
  const { state, task, pid, host } = from;
  if (isIPv4(host)) return { findings: [], address: host };
  const expected = answerOf(state.plan.zone(), task.addresses[0]?.address ?? '', { name: host, type: 'A' });
  if (expected.kind !== 'known') {
    const networks = task.addresses.map(({ networkId }) => nameOf(state.nets, networkId)).join(', ');
    const advice = `Put both services on one network: docker service inspect says which they are on. A service without a ready task is unknown where it has no virtual address`;
    return {
      findings: [broken('name', `nothing on the task’s networks (${networks}) is called ${host}`, advice)],
      address: undefined,
    };
  }
  const { name: answered = [] } = await probe(pid, { name: host, tcp: [], udp: [] });
  return answered.includes(expected.addresses[0] ?? '')
    ? { findings: [fine('name', `${host} is ${expected.addresses.join(', ')}`)], address: expected.addresses[0] }
    : { findings: [wrongAnswer(host, expected.addresses, answered)], address: undefined };
}

function wrongAnswer(host: string, expected: readonly string[], answered: readonly string[] | string): CheckFinding {
  const got = typeof answered === 'string' ? answered : answered.join(', ');
  const says = `${host} should be ${expected.join(', ')}; the container’s resolver answers ${got || 'nothing'}`;
  return broken(
    'name',
    says,
    'See whether "plim dns" runs on this host and whether anything else holds port 53 of its bridges',
  );
}

async function addressFindings(
  run: CommandRunner,
  state: NetworkState,
  address: string,
): Promise<{ readonly findings: CheckFinding[]; readonly targets: readonly Target[] }> {
  const vip = state.nets.find((record) => record.kind === 'vip' && record.address === address);
  const all = [...state.endpoints.filter(({ nodeId }) => nodeId !== state.nodeId), ...state.plan.announcements];
  const targets = all.flatMap(({ nodeId, networkId, endpoints }) =>
    endpoints
      .filter((each) =>
        vip?.kind === 'vip'
          ? each.serviceId === vip.serviceId && networkId === vip.networkId
          : each.address === address,
      )
      .map((endpoint) => ({ endpoint, peerId: nodeId === state.nodeId ? undefined : nodeId })),
  );
  if (targets.length === 0)
    return { findings: [noTask(state, address, vip?.kind === 'vip' ? vip.serviceName : undefined)], targets };
  const words = targets.map(({ endpoint }) => `${taskName(endpoint)} at ${endpoint.address}`).join(', ');
  const findings = [fine('address', `${address} leads to ${words}`)];
  if (vip) findings.push(await mapFinding(run, address, targets));
  return { findings, targets: targets.slice(0, TARGETS) };
}

function noTask({ nets }: NetworkState, address: string, serviceName: string | undefined): CheckFinding {
  if (serviceName !== undefined) {
    return broken(
      'address',
      `${serviceName} (${address}) has no ready task: connections to it are refused`,
      `plim why ${serviceName}`,
    );
  }
  const range = nets.some((record) => record.kind === 'subnet' && rangeHolding(record.subnets, address) !== undefined);
  const says = range ? `no ready task has ${address} (any more)` : `${address} is of no network the task is on`;
  return broken('address', says, 'Ask for a name instead of an address: names follow tasks');
}

/** The kernel's own answer to where a virtual address leads. */
async function mapFinding(run: CommandRunner, vip: string, targets: readonly Target[]): Promise<CheckFinding> {
  const { stdout } = await run('nft', ['list', 'map', 'ip', OVERLAY_TABLE, 'backends']);
  const there = [...mapTargets(stdout, vip)].sort();
  const wanted = targets.map(({ endpoint }) => endpoint.address).sort();
  if (there.join() === wanted.join()) return fine('map', `the kernel leads ${vip} to ${there.join(', ')}`);
  const says = `the kernel leads ${vip} to ${there.join(', ') || 'nobody'}, it should be ${wanted.join(', ')}`;
  return broken(
    'map',
    says,
    'The agent of this host loads its table anew when it starts: restart it, and look at its log for why nft refused',
  );
}

/** Pure: from the text of `nft list map`. */
export function mapTargets(listing: string, vip: string): ReadonlySet<string> {
  const elements = listing.matchAll(/(\d+\.\d+\.\d+\.\d+) \. \S+ : (\d+\.\d+\.\d+\.\d+)/g);
  return new Set([...elements].filter(([, key]) => key === vip).map(([, , target]) => target ?? ''));
}

interface Walk {
  readonly state: NetworkState;
  readonly task: LocalTask;
  readonly pid: number;
  readonly address: string;
  readonly port: number;
  readonly targets: readonly Target[];
}

async function walk(probe: PathProbe, { state, pid, address, port, targets }: Walk): Promise<CheckFinding[]> {
  if (targets.length === 0) return [];
  const mtus = state.plan.bridges.map(({ mtuBytes }) => mtuBytes).filter((mtu) => mtu !== undefined);
  const largeBytes = Math.min(...mtus, 1_450) - HEADER_BYTES;
  const addresses = targets.map(({ endpoint }) => endpoint.address);
  const answers = await probe(pid, {
    name: undefined,
    tcp: [...addresses, address].map((each) => ({ address: each, port })),
    udp: addresses.flatMap((each) => [SMALL_BYTES, largeBytes].map((bytes) => ({ address: each, bytes }))),
  });
  const found = targets.flatMap((target, index) => targetFindings(target, port, outcomeOf(answers, index, largeBytes)));
  const whole = answers.tcp.at(-1) ?? '';
  if (found.some(({ ok }) => !ok) || whole === 'open') return found;
  const says = `every ready task answers on port ${port}, but ${address}:${port} does not (${whole})`;
  return [
    ...found,
    broken(
      'reply',
      says,
      'See "nft list map ip plimsoll_overlay backends" on this host, and rules of other programs that translate addresses',
    ),
  ];
}

interface Outcome {
  readonly tcp: string;
  readonly small: string;
  readonly large: string;
  readonly largeBytes: number;
}

function outcomeOf({ tcp, udp }: PathAnswers, index: number, largeBytes: number): Outcome {
  return { tcp: tcp[index] ?? '', small: udp[2 * index] ?? '', large: udp[2 * index + 1] ?? '', largeBytes };
}

const ARRIVED = 'ECONNREFUSED';

/** What one ready task answered, small packets and large ones. Pure. */
export function targetFindings(
  {
    endpoint,
    peerId,
  }: Pick<Target, 'peerId'> & { readonly endpoint: Pick<NetworkEndpoint, 'serviceName' | 'slot' | 'address'> },
  port: number,
  { tcp, small, large, largeBytes }: Outcome,
): CheckFinding[] {
  const who = `${taskName(endpoint)} (${endpoint.address})`;
  if (small !== ARRIVED && tcp !== 'open' && tcp !== ARRIVED) return [nothingArrives(who, peerId, small)];
  const sized =
    large === ARRIVED || peerId === undefined || small !== ARRIVED
      ? []
      : [
          broken(
            'mtu',
            `small packets reach ${who}, packets of ${largeBytes + HEADER_BYTES} bytes do not`,
            'Something between the hosts carries less than the interfaces say: give the network a smaller com.docker.network.driver.mtu, or set the interfaces’ MTU to what the way carries',
          ),
        ];
  return [...sized, replyFinding(who, port, tcp)];
}

function nothingArrives(who: string, peerId: string | undefined, word: string): CheckFinding {
  if (peerId === undefined) {
    return broken(
      'firewall',
      `nothing arrives at ${who} on this same host (${word})`,
      'A rule of another program drops packets between containers: "nft list ruleset", "iptables -L FORWARD -v"',
    );
  }
  const advice =
    'Let UDP 4789 pass between the hosts, in both directions: their own firewalls, security groups of the cloud, switches';
  return broken('tunnel', `nothing arrives at ${who} on node ${peerId}, or no answer comes back (${word})`, advice);
}

function replyFinding(who: string, port: number, tcp: string): CheckFinding {
  if (tcp === 'open') return fine('reply', `${who} answers on port ${port}`);
  if (tcp === ARRIVED) {
    return broken(
      'reply',
      `${who} is reached, and nothing listens on port ${port} there`,
      'See what the service listens on, and whether on 0.0.0.0 and not only on 127.0.0.1',
    );
  }
  return broken(
    'reply',
    `${who} is reached, but does not answer on port ${port} (${tcp})`,
    'The program there is busy or a firewall in the container drops it: docker logs, docker exec',
  );
}

function taskName({ serviceName, slot }: Pick<NetworkEndpoint, 'serviceName' | 'slot'>): string {
  return slot > 0 ? `${serviceName}.${slot}` : `a task of ${serviceName}`;
}

function nameOf(nets: readonly NetRecord[], networkId: string): string {
  const record = nets.find((each) => each.kind === 'subnet' && each.network.id === networkId);
  return record?.kind === 'subnet' ? record.network.name : networkId;
}
