/** Who reaches whom: every process's connections to NATS, and whether one host can open a TCP connection to another. */
import type { ProbeReply } from '../../../model/messages.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { TcpProbe } from '../../../runtime/tcp-probe.ts';
import type { LinkFaults } from '../../support/memory-bus/link-faults.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';
import type { SimulatedProcess } from './process.ts';

const UNREACHABLE_MS = 50;

export interface ConnectionOwner {
  readonly process: SimulatedProcess;
  readonly host: string;
  readonly kind: 'agent' | 'coordinator' | 'operator';
}

/** Whether the host is up, and whether its agent listens. */
export type Reachability = (host: string) => 'open' | 'refused' | 'down';

export class Network {
  readonly server: MemoryServer;
  private readonly connections = new Map<MemoryConnection, ConnectionOwner>();
  private readonly faults = new Map<string, Partial<LinkFaults>>();
  /** Hosts that cannot reach NATS. */
  private readonly cutOff = new Set<string>();
  /** `from to`: pairs of hosts that cannot reach each other. */
  private readonly cutPairs = new Set<string>();
  private readonly reachability: Reachability;

  constructor(options: ConstructorParameters<typeof MemoryServer>[0], reachability: Reachability) {
    this.server = new MemoryServer(options);
    this.reachability = reachability;
  }

  /** As a client's library does it: throws `unavailable` while there is no way to the server. */
  async connect(owner: ConnectionOwner, metrics?: Metrics): Promise<MemoryConnection> {
    this.forgetDead();
    if (!this.server.isUp || this.server.isFrozen || this.cutOff.has(owner.host)) {
      await owner.process.clock.sleep(UNREACHABLE_MS);
      throw new PlimsollError('unavailable', 'Cannot reach NATS');
    }
    const { process, kind } = owner;
    const connection = this.server.connect(process.name, {
      clock: process.clock,
      reads: kind === 'agent' ? 'nearest' : 'leader',
      opensStreams: kind === 'coordinator',
      ...(metrics ? { metrics } : {}),
    });
    connection.setFaults(this.faults.get(owner.host) ?? {});
    this.connections.set(connection, owner);
    // As connect-bus.ts does before it answers: the streams kept in memory may have gone with the server.
    if (kind === 'coordinator') this.server.openStreams();
    return connection;
  }

  /** What befalls messages from and to a host from now on; nothing by default. */
  setFaults(host: string, faults: Partial<LinkFaults> = {}): void {
    this.faults.set(host, faults);
    for (const connection of this.of(host)) connection.setFaults(faults);
  }

  loseAcknowledgements(host: string, count: number): void {
    for (const connection of this.of(host)) connection.loseAcknowledgements(count);
  }

  /** Cuts a host off from NATS and from every other host. */
  cut(host: string): void {
    this.cutOff.add(host);
    for (const connection of this.of(host)) connection.cut();
  }

  heal(host: string): void {
    this.cutOff.delete(host);
    for (const connection of this.of(host)) connection.heal();
  }

  /** Cuts two hosts off from each other only. */
  cutPair(one: string, other: string): void {
    this.cutPairs.add(pairOf(one, other));
  }

  healPair(one: string, other: string): void {
    this.cutPairs.delete(pairOf(one, other));
  }

  healAll(hosts: readonly string[]): void {
    this.cutPairs.clear();
    for (const host of hosts) {
      this.setFaults(host);
      this.heal(host);
    }
  }

  killed(process: SimulatedProcess): void {
    for (const [connection, owner] of this.connections) if (owner.process === process) connection.kill();
    this.forgetDead();
  }

  frozen(process: SimulatedProcess): void {
    for (const [connection, owner] of this.connections) if (owner.process === process) connection.freeze();
  }

  thawed(process: SimulatedProcess): void {
    for (const [connection, owner] of this.connections) if (owner.process === process) connection.thaw();
  }

  /** What a probe from a host finds at another; addresses are hosts' names here. */
  probeFrom(from: string, process: SimulatedProcess): TcpProbe {
    return async ({ address, timeoutMs }): Promise<ProbeReply> => {
      const isCut = this.cutOff.has(from) || this.cutOff.has(address) || this.cutPairs.has(pairOf(from, address));
      const found = isCut ? 'down' : this.reachability(address);
      if (found === 'open') return { reachable: true };
      if (found === 'refused') return { reachable: false, error: `connect ECONNREFUSED ${address}` };
      await process.clock.sleep(timeoutMs);
      return { reachable: false, error: `no answer within ${timeoutMs} ms` };
    };
  }

  private of(host: string): MemoryConnection[] {
    return [...this.connections].filter(([, owner]) => owner.host === host).map(([connection]) => connection);
  }

  private forgetDead(): void {
    for (const [connection, { process }] of this.connections) {
      if (!process.isAlive || connection.closed) this.connections.delete(connection);
    }
  }
}

function pairOf(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
