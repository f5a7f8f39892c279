/**
 * Looks every half minute whether this host's part of the cluster's networks can work: what other programs and the network
 * between the hosts make of it. Changes nothing; its agent tells the coordinators with its usage.
 */
import type { CheckFinding } from '../../../model/network-check.ts';
import { type NetworkWarning, WARNING_CHARACTERS_AT_MOST, WARNINGS_AT_MOST } from '../../../model/network-warning.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { gatewayOf } from '../../../runtime/ipv4.ts';
import type { Log } from '../../../runtime/log.ts';
import { Poke, runLoop } from '../../../runtime/loop.ts';
import type { AgentMetrics } from '../../agent-metrics.ts';
import { checkHost } from '../check/host-check.ts';
import type { CommandRunner } from '../command-runner.ts';
import type { ProcFiles } from '../loopback-routing.ts';
import type { OverlayView } from '../overlay/overlay-view.ts';
import { type OverlayPlan, planOverlay } from '../overlay/plan-overlay.ts';
import { foreignRoutes, overlapWarnings } from './host-routes.ts';
import type { TunnelProbe } from './tunnel-probe.ts';

export interface NetworkWatchParts {
  readonly run: CommandRunner;
  readonly files: Pick<ProcFiles, 'read'>;
  readonly probeTunnel: TunnelProbe;
  readonly view: () => OverlayView;
  /** What the parts of this agent that serve networks and published ports cannot do. */
  readonly troubles: () => readonly string[];
  /** Whether a node's agent is known to be too old to answer probes. */
  readonly isOlder: (nodeId: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'networkWatchFailures'>;
}

const TIMES = { minGapMs: 30_000, resyncMs: 30_000, retryMs: 30_000 };
/** Other nodes that are probed in one round; the next round goes on behind them. */
const PROBED_AT_ONCE = 20;
/** A node that is starting, or lost: one round says nothing. */
const FAILURES_TO_WARN = 2;
/** What was found before is said for so long after the last look that succeeded. */
const STALE_MS = 90_000;
const SMALL_BYTES = 8;
/** IP and UDP headers. */
const HEADER_BYTES = 28;
const kindOf: Readonly<Partial<Record<CheckFinding['step'], NetworkWarning['kind']>>> = { mtu: 'mtu', task: 'kernel' };

interface OtherNode {
  readonly nodeId: string;
  readonly nodeAddress: string;
  /** The bridge's address there. */
  readonly gateway: string;
}

export class NetworkWatch {
  private readonly parts: NetworkWatchParts;
  private readonly failures = new Map<string, { small: number; large: number }>();
  private next = 0;
  private found: readonly NetworkWarning[] = [];
  private brokenBefore = new Set<string>();
  private isFailing = false;
  private lookedAtMs: number;

  constructor(parts: NetworkWatchParts) {
    this.parts = parts;
    this.lookedAtMs = parts.clock.elapsedMs();
  }

  /** As of the last round. */
  get warnings(): readonly NetworkWarning[] {
    return this.found.slice(0, WARNINGS_AT_MOST).map(bounded);
  }

  /** Until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const onError = (error: unknown) => this.noteFailure(messageOf(error));
    await runLoop({ tick: () => this.look(), poke: new Poke(), times: TIMES, clock, onError }, signal);
  }

  /** One round. */
  async look(): Promise<void> {
    const view = this.parts.view();
    const plan = planOverlay(view);
    const troubles = this.parts.troubles().map(warningOf);
    const parts = plan.tunnel ? [this.overlaps(view), this.host(plan), this.others(view, plan)] : [];
    this.found = [...troubles, ...(await Promise.all(parts)).flat()];
    this.lookedAtMs = this.parts.clock.elapsedMs();
    this.isFailing = false;
  }

  /** Said once, until a look succeeds again. What was found long ago may not be so any more. */
  private noteFailure(error: string): void {
    const { clock, log, metrics } = this.parts;
    metrics.networkWatchFailures.inc();
    if (!this.isFailing) log.warn({ error }, 'cannot look whether the networks of the cluster work here');
    this.isFailing = true;
    if (clock.elapsedMs() - this.lookedAtMs < STALE_MS) return;
    this.found = [warningOf(`whether the networks of the cluster work here cannot be looked at: ${error}`)];
  }

  private async overlaps({ nets }: OverlayView): Promise<NetworkWarning[]> {
    const ranges = nets.flatMap((net) => (net.kind === 'subnet' ? net.subnets : []));
    if (ranges.length === 0) return [];
    return overlapWarnings(foreignRoutes(await this.parts.files.read('/proc/net/route')), ranges);
  }

  /** What the agent puts right by itself is nobody's business: said when it was so the time before. */
  private async host(plan: OverlayPlan): Promise<NetworkWarning[]> {
    const findings = await checkHost(this.parts.run, plan).catch(unseen);
    const broken = findings.filter(({ ok }) => !ok);
    const before = this.brokenBefore;
    this.brokenBefore = new Set(broken.map(({ says }) => says));
    return broken
      .filter(({ says }) => before.has(says))
      .map(({ step, says, advice = '' }) => ({ kind: kindOf[step] ?? 'firewall', says, advice }));
  }

  private async others(view: OverlayView, plan: OverlayPlan): Promise<NetworkWarning[]> {
    const [bridge] = plan.bridges;
    const others = otherNodes(view);
    for (const nodeId of this.failures.keys()) {
      if (!others.some((other) => other.nodeId === nodeId)) this.failures.delete(nodeId);
    }
    if (bridge === undefined) return [];
    const largeBytes = (plan.tunnel?.mtuLimitBytes ?? 0) - HEADER_BYTES;
    await Promise.all(this.takeTurns(others).map((other) => this.probe(bridge.gateway, other, largeBytes)));
    return others.flatMap((other) => this.warningsOf(other, largeBytes + HEADER_BYTES));
  }

  private takeTurns(others: readonly OtherNode[]): OtherNode[] {
    if (others.length <= PROBED_AT_ONCE) return [...others];
    const first = this.next % others.length;
    this.next = first + PROBED_AT_ONCE;
    return [...others.slice(first), ...others].slice(0, PROBED_AT_ONCE);
  }

  private async probe(from: string, { nodeId, gateway: to }: OtherNode, largeBytes: number): Promise<void> {
    const known = this.failures.get(nodeId) ?? { small: 0, large: 0 };
    const small = await this.parts.probeTunnel({ from, to, bytes: SMALL_BYTES });
    // What keeps this host itself from sending is found by the look at it, not laid at the other's door.
    if (small === undefined) return void this.failures.delete(nodeId);
    const asksLarge = small && largeBytes > SMALL_BYTES;
    const large = asksLarge ? await this.parts.probeTunnel({ from, to, bytes: largeBytes }) : true;
    this.failures.set(nodeId, { small: small ? 0 : known.small + 1, large: large === false ? known.large + 1 : 0 });
  }

  private warningsOf({ nodeId, nodeAddress }: OtherNode, bytes: number): NetworkWarning[] {
    const failed = this.failures.get(nodeId);
    if (failed && failed.small >= FAILURES_TO_WARN)
      return [this.parts.isOlder(nodeId) ? older(nodeId, nodeAddress) : blocked(nodeId, nodeAddress)];
    if (failed && failed.large >= FAILURES_TO_WARN) return [tooLarge(nodeId, nodeAddress, bytes)];
    return [];
  }
}

/** Those with a range: they have a bridge whose address answers. */
function otherNodes({ nets, nodeId }: OverlayView): OtherNode[] {
  const others = new Map<string, OtherNode>();
  for (const net of nets) {
    const [subnet] = net.kind === 'subnet' ? net.subnets : [];
    if (net.kind !== 'subnet' || subnet === undefined || net.nodeId === nodeId || net.idleSinceMs !== undefined)
      continue;
    others.set(net.nodeId, { nodeId: net.nodeId, nodeAddress: net.nodeAddress, gateway: gatewayOf(subnet) });
  }
  return [...others.values()].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
}

/** What programs of the host say, and lists of what is missing, may be of any length; a message that is too long is lost. */
function bounded(warning: NetworkWarning): NetworkWarning {
  return { ...warning, says: cut(warning.says), advice: cut(warning.advice) };
}

function cut(text: string): string {
  return text.length <= WARNING_CHARACTERS_AT_MOST ? text : `${text.slice(0, WARNING_CHARACTERS_AT_MOST - 1)}…`;
}

function warningOf(says: string): NetworkWarning {
  return { kind: 'kernel', says, advice: 'It is tried again all the time; the log of this node’s agent has the rest' };
}

function blocked(peerId: string, address: string): NetworkWarning {
  return {
    kind: 'blocked',
    says: `nothing comes through to ${address}, or no answer back: UDP 4789 seems to be blocked`,
    advice: 'Let UDP 4789 pass between the hosts, in both directions: their firewalls, security groups, switches',
    peerId,
  };
}

/** It drops the probe, as a firewall would. */
function older(peerId: string, address: string): NetworkWarning {
  return {
    kind: 'version',
    says: `the agent at ${address} is older than this one: whether packets come through to it is not known`,
    advice: 'Upgrade it: newer agents answer what this one asks through UDP 4789',
    peerId,
  };
}

function tooLarge(peerId: string, address: string, bytes: number): NetworkWarning {
  return {
    kind: 'mtu',
    says: `small packets come through to ${address}, packets of ${bytes} bytes do not`,
    advice:
      'Something between the hosts carries less than their interfaces say: set the interfaces’ MTU to what the way carries, or give networks a smaller com.docker.network.driver.mtu',
    peerId,
  };
}

/** Where the host's own programs fail, that is what is wrong. */
function unseen(error: unknown): CheckFinding[] {
  const says = `this host cannot be looked at: ${messageOf(error)}`;
  return [{ step: 'task', ok: false, says, advice: 'Install nftables, iproute2 and util-linux; agents run as root' }];
}
