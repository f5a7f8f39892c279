/** A whole cluster in one process, driven by one seed: real agents and coordinators on simulated hosts. */
import { derivedId } from '../../../runtime/identifiers.ts';
import { SimulatedHost } from './host.ts';
import { Network } from './network.ts';
import { SimulatedProcess } from './process.ts';
import { Random } from './random.ts';
import { SimulatedTime } from './time.ts';
import { Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly coordinators: number;
  /** Whether somebody will read what happened. */
  readonly traced: boolean;
}

export class World {
  readonly time = new SimulatedTime();
  readonly trace: Trace;
  readonly random: Random;
  readonly network: Network;
  readonly hosts: readonly SimulatedHost[];
  readonly clusterId = derivedId('cluster');
  private ids = 0;

  constructor(options: WorldOptions) {
    this.random = new Random(options.seed);
    this.trace = new Trace(this.time, options.traced);
    const nats = new SimulatedProcess('nats', this.time, { wallOffsetMs: 0, bootedAtMs: 0 });
    const chance = this.random.fork();
    const serverFences = this.random.chance(0.8);
    this.network = new Network({ clock: nats.clock, random: () => chance.next(), serverFences }, (host) =>
      this.reach(host),
    );
    this.hosts = Array.from({ length: options.nodes }, (_, index) =>
      this.newHost(`h${index + 1}`, index < options.coordinators),
    );
  }

  /** Every process starts, within a second of each other. */
  boot(): void {
    for (const host of this.hosts) {
      this.time.after(this.random.between(0, 1_000), () => host.startCoordinator());
      this.time.after(this.random.between(0, 1_000), () => host.startAgent());
    }
  }

  host(name: string): SimulatedHost {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`There is no host ${name}`);
    return host;
  }

  private newHost(name: string, hasCoordinator: boolean): SimulatedHost {
    const { time, network, trace, clusterId } = this;
    const random = this.random.fork();
    return new SimulatedHost({
      name,
      hasCoordinator,
      time,
      network,
      trace,
      clusterId,
      random,
      newId: () => this.newId(),
    });
  }

  private reach(name: string): 'open' | 'refused' | 'down' {
    const host = this.host(name);
    if (!host.isUp) return 'down';
    return host.agent ? 'open' : 'refused';
  }

  private newId(): string {
    this.ids += 1;
    return derivedId('id', this.ids);
  }
}
