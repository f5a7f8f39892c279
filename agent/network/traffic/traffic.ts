/** Counts the connections this node's tasks get, and who begins them: keeps the kernel's table and reads its counters. */
import type { ServiceCalls } from '../../../model/messages.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import { networksOf, parseConnectedNetworks } from '../bridge-networks.ts';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';
import type { ProcFiles } from '../loopback-routing.ts';
import { type RenderedTable, tableChange, tableRemoval } from '../nft-elements.ts';
import { ConnectionTotals } from './connection-totals.ts';
import { countersIn, growth } from './traffic-listing.ts';
import { CALLS_SET, CONNECTIONS_SET, OUTSIDE_SET, renderTrafficTable, TRAFFIC_TABLE } from './traffic-table.ts';
import type { TrafficView } from './traffic-view.ts';

/** What was counted up to a moment. */
export interface ConnectionSample {
  /** On the elapsed clock. */
  readonly atMs: number;
  /** Connections begun to a task since this agent was started. */
  readonly byTask: ReadonlyMap<string, number>;
  /** Who began how many in the last seconds. */
  readonly calls: readonly ServiceCalls[];
}

export interface TrafficParts {
  readonly run: CommandRunner;
  readonly files: Pick<ProcFiles, 'read'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Pairs of callers and called may be many: read less often than the called alone. */
const CALLS_PERIOD_MS = 10_000;
/** Where the host refuses the table, it is asked again after this. */
const REFUSED_MS = 60_000;

type Counters = ReadonlyMap<string, number>;
const none: Counters = new Map();

export class Traffic {
  private readonly parts: TrafficParts;
  private readonly totals: ConnectionTotals;
  /** Undefined while there is no table of this process. */
  private installed: RenderedTable | undefined;
  private connections: Counters = none;
  /** As they were when they were read last. */
  private callers: { readonly atMs: number; readonly outside: Counters; readonly between: Counters } | undefined;
  private calls: readonly ServiceCalls[] = [];
  private refusedUntilMs = 0;
  private hasLooked = false;

  constructor(parts: TrafficParts) {
    this.parts = parts;
    this.totals = new ConnectionTotals(parts.metrics);
  }

  /**
   * Undefined while no task can be called, and for a minute after the host refused. Throws when it refuses: no nft, an old
   * kernel, a table somebody took away. One call at a time.
   */
  async read(view: TrafficView): Promise<ConnectionSample | undefined> {
    if (view.tasks.length === 0) return this.rest();
    if (this.parts.clock.elapsedMs() < this.refusedUntilMs) return undefined;
    try {
      await this.keepTable(view);
      return await this.count(view);
    } catch (error) {
      // The table may be gone: the next one counts from nothing.
      const hadTable = this.installed !== undefined;
      this.forget();
      if (!hadTable) this.refusedUntilMs = this.parts.clock.elapsedMs() + REFUSED_MS;
      throw error;
    }
  }

  /** Takes the table off the host. */
  async remove(): Promise<void> {
    this.forget();
    const { run } = this.parts;
    const listed = await run('nft', ['list', 'chain', 'ip', TRAFFIC_TABLE, 'count']).catch(() => undefined);
    if (listed?.exitCode === 0) await runSuccessfully(run, 'nft', ['-f', '-'], `${tableRemoval(TRAFFIC_TABLE)}\n`);
  }

  /** Nothing to count: the table goes, one an earlier agent left as well. */
  private async rest(): Promise<undefined> {
    this.totals.addConnections(none, []);
    if (this.installed === undefined && this.hasLooked) return;
    this.hasLooked = true;
    await this.remove();
  }

  private async keepTable(view: TrafficView): Promise<void> {
    const routes = await this.parts.files.read('/proc/net/route');
    const addresses = view.tasks.flatMap((task) => task.addresses);
    const bridges = networksOf(addresses, parseConnectedNetworks(routes)).map(({ device }) => device);
    const table = renderTrafficTable({ bridges, ranges: view.ranges });
    const change = tableChange(this.installed, table);
    if (change !== '') await runSuccessfully(this.parts.run, 'nft', ['-f', '-'], `${change}\n`);
    this.installed = table;
  }

  private async count(view: TrafficView): Promise<ConnectionSample> {
    const connections = await this.list(CONNECTIONS_SET);
    this.totals.addConnections(growth(this.connections, connections), view.tasks);
    this.connections = connections;
    const atMs = this.parts.clock.elapsedMs();
    await this.countCalls(view, atMs);
    return { atMs, byTask: this.totals.tasks, calls: this.calls };
  }

  private async countCalls(view: TrafficView, atMs: number): Promise<void> {
    this.callers ??= { atMs, outside: none, between: none };
    const before = this.callers;
    if (atMs - before.atMs < CALLS_PERIOD_MS) return;
    const [outside, between] = [await this.list(OUTSIDE_SET), await this.list(CALLS_SET)];
    const begun = { outside: growth(before.outside, outside), between: growth(before.between, between) };
    this.calls = this.totals.addCalls(begun, view, (atMs - before.atMs) / 1000);
    this.callers = { atMs, outside, between };
  }

  private async list(set: string): Promise<Counters> {
    return countersIn(
      await runSuccessfully(this.parts.run, 'nft', ['--json', 'list', 'set', 'ip', TRAFFIC_TABLE, set]),
    );
  }

  private forget(): void {
    this.installed = undefined;
    this.connections = none;
    this.callers = undefined;
    this.calls = [];
  }
}
