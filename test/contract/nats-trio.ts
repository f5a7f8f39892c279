/** Three NATS servers of one cluster that keep three copies of each stream; the third one's routes can be cut. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { type ConnectedBus, connectBus } from '../../bus/connect-bus.ts';
import { type Cluster, createCluster, issueCoordinatorIdentity } from '../../bus/identity/cluster.ts';
import { serverTrust } from '../../bus/identity/keys.ts';
import type { CoordinatorIdentity } from '../../bus/identity/user-identity.ts';
import { natsConfigText } from '../../bus/server/nats-config.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { NatsProxy } from '../support/nats-proxy.ts';
import { natsServerExecutable } from '../support/nats-server.ts';

/** Electing a leader of JetStream takes seconds, on a busy machine more. */
const READY_MS = 45_000;
const COPIES = 3;
const ASK_MS = 5_000;

/** Which of the servers: the third one is the one whose routes go through proxies. */
type Place = 0 | 1 | 2;

interface Seat {
  readonly name: string;
  readonly clientPort: number;
  readonly routePort: number;
  /** In front of its route port, for the third server and for what that one connects to. */
  readonly routeProxy: NatsProxy;
}

export class NatsTrio {
  private readonly folder: string;
  private readonly cluster: Cluster;
  private readonly seats: readonly Seat[];
  private readonly processes: ChildProcess[] = [];
  private readonly connections: ConnectedBus[] = [];
  private readonly plain: NatsConnection[] = [];

  private constructor(folder: string, cluster: Cluster, seats: readonly Seat[]) {
    this.folder = folder;
    this.cluster = cluster;
    this.seats = seats;
  }

  /** Resolves when a coordinator has opened every stream on them. */
  static async start(): Promise<NatsTrio> {
    const folder = mkdtempSync(join(tmpdir(), 'plimsoll-nats-trio-'));
    const words = { listenHost: '127.0.0.1', port: 4222, advertisedHosts: ['127.0.0.1'], nowMs: Date.now() };
    const cluster = await createCluster(folder, words);
    const trio = new NatsTrio(folder, cluster, await Promise.all([1, 2, 3].map((number) => newSeat(number))));
    try {
      for (const seat of trio.seats) trio.processes.push(await trio.startServer(seat));
      await eventually(() => trio.coordinator(0), {
        timeoutMs: READY_MS,
        intervalMs: 250,
        what: 'the streams are open',
      });
      return trio;
    } catch (error) {
      await trio.stop();
      throw error;
    }
  }

  /** A coordinator's connection to one of the servers. */
  async coordinator(at: Place): Promise<ConnectedBus> {
    const connected = await connectBus({
      identity: await this.identityAt(at),
      purpose: 'test',
      waitForServer: false,
      clock: systemClock,
      log: createLog('test', 'silent'),
      registry: createMetrics('test', '0'),
      replicas: COPIES,
    });
    this.connections.push(connected);
    return connected;
  }

  /** A connection with a coordinator's rights that speaks NATS itself. */
  async client(at: Place): Promise<NatsConnection> {
    const { jwt, seed, natsUrls } = await this.identityAt(at);
    const authenticator = jwtAuthenticator(jwt, new TextEncoder().encode(seed));
    const client = await connect({ servers: natsUrls, authenticator, ignoreClusterUpdates: true });
    this.plain.push(client);
    return client;
  }

  /** Has another server lead a stream than the third one, which is to fall behind. */
  async leadElsewhere(stream: string): Promise<void> {
    const client = await this.client(0);
    const lagging = this.seats[2]?.name;
    const led = async () => {
      const { leader } = await copiesOf(stream, client);
      if (leader === lagging) await client.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: ASK_MS });
      return leader !== undefined && leader !== lagging;
    };
    await eventually(led, { timeoutMs: READY_MS, intervalMs: 200, what: `${stream} is led by one of the first two` });
  }

  /** Resolves when every copy of a stream has what its leader has. */
  async haveCaughtUp(stream: string): Promise<void> {
    const client = await this.client(0);
    const areEqual = async () => {
      const { replicas = [] } = await copiesOf(stream, client);
      return replicas.length === COPIES - 1 && replicas.every(({ current, lag = 0 }) => current && lag === 0);
    };
    await eventually(areEqual, { timeoutMs: READY_MS, intervalMs: 100, what: `every copy of ${stream} has caught up` });
  }

  /** Nothing goes between the third server and the others; nobody is told. */
  cutThird(): void {
    for (const { routeProxy } of this.seats) routeProxy.cut();
  }

  healThird(): void {
    for (const { routeProxy } of this.seats) routeProxy.heal();
  }

  async stop(): Promise<void> {
    this.healThird();
    await Promise.all(this.connections.map(({ bus }) => bus.close()));
    await Promise.all(this.plain.map((client) => client.close()));
    for (const process of this.processes) {
      if (process.exitCode !== null || process.signalCode !== null) continue;
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
    await Promise.all(this.seats.map(({ routeProxy }) => routeProxy.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async identityAt(at: Place): Promise<CoordinatorIdentity> {
    const identity = await issueCoordinatorIdentity(this.cluster);
    return { ...identity, natsUrls: [`nats://127.0.0.1:${this.seats[at]?.clientPort}`] };
  }

  private async startServer(seat: Seat): Promise<ChildProcess> {
    const folder = join(this.folder, seat.name);
    mkdirSync(folder);
    const { keys, operatorJwt, revokedAtSeconds } = this.cluster;
    const text = natsConfigText({
      serverName: seat.name,
      listenHost: '127.0.0.1',
      port: seat.clientPort,
      storeDir: join(folder, 'store'),
      pidFile: join(folder, 'pid'),
      trust: await serverTrust(keys, operatorJwt, revokedAtSeconds),
      tls: undefined,
    });
    const config = join(folder, 'nats.conf');
    writeFileSync(config, `${text}${this.routesText(seat)}`);
    const child = spawn(natsServerExecutable(), ['-c', config], { stdio: 'ignore' });
    await once(child, 'spawn');
    return child;
  }

  /**
   * The first two know each other's own ports; to and from the third every way leads through a proxy, also those that
   * servers tell each other of, as each tells of its proxy.
   */
  private routesText(own: Seat): string {
    const third = this.seats[2];
    const others = this.seats.filter((seat) => seat !== own);
    const portOf = (seat: Seat) => (own === third || seat === third ? seat.routeProxy.port : seat.routePort);
    const urls = others.map((seat) => JSON.stringify(`nats-route://127.0.0.1:${portOf(seat)}`));
    return [
      'cluster {',
      '  name: trio',
      `  listen: "127.0.0.1:${own.routePort}"`,
      `  advertise: "127.0.0.1:${own.routeProxy.port}"`,
      '  no_advertise: true',
      `  routes: [${urls.join(', ')}]`,
      '}',
      '',
    ].join('\n');
  }
}

interface Copies {
  readonly leader?: string;
  /** All but the leader's. */
  readonly replicas?: readonly { readonly current: boolean; readonly lag?: number }[];
}

async function copiesOf(stream: string, client: NatsConnection): Promise<Copies> {
  const answer = await client.request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: ASK_MS });
  return answer.json<{ cluster?: Copies }>().cluster ?? {};
}

async function newSeat(number: number): Promise<Seat> {
  const routePort = await freePort();
  return {
    name: `trio-${number}`,
    clientPort: await freePort(),
    routePort,
    routeProxy: await NatsProxy.start(routePort),
  };
}
