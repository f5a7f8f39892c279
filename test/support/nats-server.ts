/** A real NATS server of a fresh cluster in a folder of its own, for integration tests. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectBusOptions, type ConnectedBus, connectBus } from '../../bus/connect-bus.ts';
import {
  type Cluster,
  createCluster,
  issueCoordinatorIdentity,
  issueNodeIdentity,
} from '../../bus/identity/cluster.ts';
import type { NodeIdentity, UserIdentity } from '../../bus/identity/user-identity.ts';
import { ensureNatsServer, runningNatsPid, stopNatsServer } from '../../bus/server/nats-server.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

const INSTALLED = '/var/cache/plimsoll/programs/nats-server/usr/sbin/nats-server';

/** Path of a nats-server: PLIMSOLL_NATS_SERVER, the one scripts/up installed, or the one on the PATH. */
export function natsServerExecutable(): string {
  const named = process.env.PLIMSOLL_NATS_SERVER;
  if (named) return named;
  if (existsSync(INSTALLED)) return INSTALLED;
  return execFileSync('sh', ['-c', 'command -v nats-server'], { encoding: 'utf8' }).trim();
}

export class TestNats {
  readonly stateDir: string;
  readonly cluster: Cluster;
  private readonly connections: ConnectedBus[] = [];

  private constructor(stateDir: string, cluster: Cluster) {
    this.stateDir = stateDir;
    this.cluster = cluster;
  }

  static async start(listenHost = '127.0.0.1', onPort?: number): Promise<TestNats> {
    const stateDir = mkdtempSync(join(tmpdir(), 'plimsoll-nats-'));
    const port = onPort ?? (await freePort());
    const cluster = await createCluster(stateDir, {
      listenHost,
      port,
      advertisedHosts: ['127.0.0.1'],
      nowMs: Date.now(),
    });
    const nats = new TestNats(stateDir, cluster);
    try {
      await nats.startServer();
      return nats;
    } catch (error) {
      await nats.stop();
      throw error;
    }
  }

  /** Major and minor number of the server program. */
  get version(): readonly [number, number] {
    const text = execFileSync(natsServerExecutable(), ['--version'], { encoding: 'utf8' });
    const [major = 0, minor = 0] = (/v(\d+\.\d+)/.exec(text)?.[1] ?? '').split('.').map(Number);
    return [major, minor];
  }

  startServer(): Promise<number> {
    return ensureNatsServer(this.stateDir, { executable: natsServerExecutable() }, systemClock);
  }

  /** Sends the server a signal: SIGKILL, SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void {
    const pid = runningNatsPid(this.stateDir);
    if (pid === undefined) throw new Error('The NATS server does not run');
    process.kill(pid, name);
  }

  /** SIGKILL; resolves when the process is gone. */
  async killServer(): Promise<void> {
    this.signal('SIGKILL');
    await eventually(() => runningNatsPid(this.stateDir) === undefined, { what: 'the NATS server is gone' });
  }

  async coordinator(metrics?: Metrics): Promise<ConnectedBus> {
    return this.connect(await issueCoordinatorIdentity(this.cluster), metrics);
  }

  node(): Promise<NodeIdentity> {
    return issueNodeIdentity(this.cluster);
  }

  async connect(
    identity: UserIdentity,
    metrics?: Metrics,
    more: Partial<ConnectBusOptions> = {},
  ): Promise<ConnectedBus> {
    const connected = await connectBus({
      identity,
      purpose: 'test',
      waitForServer: false,
      clock: systemClock,
      log: createLog('test', process.env.PLIMSOLL_TEST_LOG === 'debug' ? 'debug' : 'silent'),
      registry: metrics ?? createMetrics('test', '0'),
      ...more,
    });
    this.connections.push(connected);
    return connected;
  }

  async closeConnections(): Promise<void> {
    await Promise.all(this.connections.splice(0).map((connected) => connected.bus.close()));
  }

  async stop(): Promise<void> {
    await this.closeConnections();
    await stopNatsServer(this.stateDir, systemClock);
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
