/** A whole cluster in one process, driven by one seed: real agents and coordinators on simulated hosts. */
import { derivedId } from '../../../runtime/identifiers.ts';
import { Disturbances } from './disturbances.ts';
import { SimulatedHost } from './host.ts';
import type { Mutations } from './mutations.ts';
import { Network } from './network.ts';
import { SimulatedProcess } from './process.ts';
import { Random } from './random.ts';
import type { ContainerWitness } from './simulated-engine.ts';
import { SimulatedTime } from './time.ts';
import { Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly coordinators: number;
  /** Whether somebody will read what happened. */
  readonly traced: boolean;
  readonly mutations: Mutations;
}

export class World {
  readonly time = new SimulatedTime();
  readonly trace: Trace;
  readonly random: Random;
  readonly network: Network;
  readonly hosts: readonly SimulatedHost[];
  readonly clusterId = derivedId('cluster');
  /** Who is told of everything that happens to containers. */
  readonly witnesses: ContainerWitness[] = [];
  readonly disturbances = new Disturbances();
  /** Hosts whose agent was gone or stood still. */
  readonly helpless = new Disturbances();
  /** Hosts whose coordinator was gone or stood still. */
  readonly leaderless = new Disturbances();
  /** Hosts that users did not want tasks on. */
  readonly drained = new Disturbances();
  /** The users' records were lost or set back, and the count of leaderships with them. */
  wishesLost = false;
  /** Tasks that were over and came back with an older bucket of assignments. */
  readonly revivedTasks = new Set<string>();
  private readonly isMute: boolean;
  private ids = 0;

  constructor(options: WorldOptions) {
    this.random = new Random(options.seed);
    this.isMute = options.mutations.mute ?? false;
    this.trace = new Trace(this.time, options.traced);
    const nats = new SimulatedProcess('nats', this.time, { wallOffsetMs: 0, bootedAtMs: 0 });
    const chance = this.random.fork();
    const serverFences = this.random.chance(0.8);
    this.network = new Network({ clock: nats.clock, random: () => chance.next(), serverFences }, (host) =>
      this.reach(host),
    );
    this.hosts = Array.from({ length: options.nodes }, (_, index) =>
      this.newHost(`h${index + 1}`, index < options.coordinators, options.mutations),
    );
  }

  /** Every process starts, within a second of each other. */
  boot(): void {
    for (const host of this.hosts) {
      this.time.after(this.random.between(0, 1_000), () => host.startCoordinator());
      this.time.after(this.random.between(0, 1_000), () => host.startAgent());
    }
  }

  /** Every fault ends. */
  heal(): void {
    this.trace.note('FATE', 'everything heals');
    const { server } = this.network;
    if (!server.isUp) server.restart();
    if (server.isFrozen) server.thaw();
    server.hasJetStreamLeader = true;
    server.followerLagMs = 0;
    this.network.healAll(this.hosts.map(({ name }) => name));
    for (const host of this.hosts) host.heal();
  }

  /** Nothing goes on: what is left of the world can be forgotten. */
  end(): void {
    for (const host of this.hosts) {
      host.killAgent();
      host.killCoordinator();
    }
  }

  host(name: string): SimulatedHost {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`There is no host ${name}`);
    return host;
  }

  private newHost(name: string, hasCoordinator: boolean, mutations: Mutations): SimulatedHost {
    const { time, network, trace, clusterId } = this;
    return new SimulatedHost({
      name,
      hasCoordinator,
      time,
      network,
      trace,
      clusterId,
      random: this.random.fork(),
      newId: () => this.newId(),
      witness: (...seen) => this.witness(...seen),
      mutations,
    });
  }

  private witness(...[host, event, container]: Parameters<ContainerWitness>): void {
    this.trace.note(`engine-${host}`, event.action, { container: container?.name ?? event.containerId });
    for (const witness of this.witnesses) witness(host, event, container);
  }

  private reach(name: string): 'open' | 'refused' | 'down' {
    const host = this.host(name);
    if (!host.isUp || this.isMute) return 'down';
    return host.agent ? 'open' : 'refused';
  }

  private newId(): string {
    this.ids += 1;
    return derivedId('id', this.ids);
  }
}
