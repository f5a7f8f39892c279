/**
 * A loaded lab, a small trouble every minute, and nothing may happen: no stand-in, no node lost, no container restarted.
 * Read off every engine's own list of containers and off the daemons' counters.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import type { Lab } from '../support/lab.ts';
import type { EngineSample, LabContainer } from '../support/lab-engines.ts';
import { LabWatch } from '../support/lab-watch.ts';
import { AlarmCounters, alarmMetrics } from './alarm-counters.ts';
import { drawDisturbance, type Lots } from './disturbance.ts';
import { loadAverage, MachineLoad } from './machine-load.ts';

const SAMPLE_MS = 500;
const COUNT_MS = 2_000;
const SETTLE_MS = 120_000;
const wanted = { steady: 6, all: 3, healthy: 3 } as const;

export interface SoakOptions {
  readonly lab: Lab;
  readonly lots: Lots;
  readonly rounds: number;
  readonly roundMs: number;
  readonly loadAverage: number;
  readonly onRound: (round: SoakRound) => void;
}

export interface SoakRound {
  readonly number: number;
  readonly disturbance: string;
  readonly loadAverage: number;
  /** From the disturbance until everything was as it should be again. */
  readonly wholeAfterMs: number;
  /** What it cost; empty as it should be. */
  readonly alarms: readonly string[];
}

/** Runs all rounds, whatever they find. */
export async function soak(options: SoakOptions): Promise<readonly SoakRound[]> {
  const { lab } = options;
  const watch = new LabWatch(lab);
  const load = new MachineLoad(options.loadAverage);
  try {
    await deploy(new Cluster(lab), watch);
    return await new Soak(options, watch).run();
  } finally {
    load.stop();
    await watch.close();
  }
}

async function deploy(cluster: Cluster, watch: LabWatch): Promise<void> {
  await cluster.create('all', '--mode', 'global', 'plimsoll/sleep:1');
  await cluster.create('steady', '--replicas', String(wanted.steady), 'plimsoll/sleep:1');
  // A probe that a busy machine lets wait is no illness.
  const probes = ['--health-interval', '5s', '--health-timeout', '30s', '--health-start-period', '60s'];
  await cluster.create('healthy', '--replicas', String(wanted.healthy), ...probes, 'plimsoll/hello:1');
  await whole(watch);
}

async function whole(watch: LabWatch): Promise<void> {
  const condition = async () => {
    const complaints = await watch.complaints(wanted);
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    return true;
  };
  await eventually(condition, { timeoutMs: SETTLE_MS, intervalMs: 500, what: 'the lab to be whole' });
}

class Soak {
  private readonly options: SoakOptions;
  private readonly watch: LabWatch;
  private readonly counters: AlarmCounters;
  /** Ids of all containers that ever ran. */
  private readonly known = new Set<string>();
  private alarms: string[] = [];

  constructor(options: SoakOptions, watch: LabWatch) {
    this.options = options;
    this.watch = watch;
    this.counters = new AlarmCounters(options.lab);
  }

  async run(): Promise<readonly SoakRound[]> {
    const first = await this.running();
    for (const { id } of first) this.known.add(id);
    const runs = await this.runsOf(first);
    await this.counters.read();
    const stop = new AbortController();
    const watching = Promise.all([
      this.watch.engines.follow(SAMPLE_MS, (sample) => this.take(sample), stop.signal),
      this.count(stop.signal),
    ]);
    const rounds: SoakRound[] = [];
    for (let number = 1; number <= this.options.rounds; number += 1) rounds.push(await this.round(number));
    stop.abort();
    await watching;
    const lost = [...(await this.runsOf(first))].filter(([id, run]) => runs.get(id) !== run).map(([id]) => id);
    return lost.length === 0 ? rounds : [...rounds, this.told(rounds.length + 1, 'at the end', 0, lost.map(endedRun))];
  }

  private async round(number: number): Promise<SoakRound> {
    const { lab, lots, roundMs, onRound } = this.options;
    const endsAtMs = performance.now() + roundMs;
    const before = alarmMetrics.map((name) => this.counters.sum(name));
    const { name, act } = drawDisturbance(lots, lab, await this.leaderHost());
    const startedMs = performance.now();
    await act(lab);
    const healed = await whole(this.watch).then(
      () => [],
      (error: unknown) => [String(error)],
    );
    const wholeAfterMs = performance.now() - startedMs;
    await delay(Math.max(0, endsAtMs - performance.now()));
    await this.counters.read();
    const counted = alarmMetrics
      .map((metric, index) => [metric, this.counters.sum(metric) - (before[index] ?? 0)] as const)
      .filter(([, more]) => more > 0)
      .map(([metric, more]) => `${metric} grew by ${more}`);
    const round = this.told(number, name, wholeAfterMs, [...healed, ...this.alarms, ...counted]);
    this.alarms = [];
    onRound(round);
    return round;
  }

  private told(number: number, disturbance: string, wholeAfterMs: number, alarms: readonly string[]): SoakRound {
    return { number, disturbance, loadAverage: loadAverage(), wholeAfterMs, alarms };
  }

  private take({ host, containers }: EngineSample): void {
    for (const { id, slot, running } of containers) {
      if (!running || this.known.has(id)) continue;
      this.known.add(id);
      this.alarms.push(`${slot} got a container on ${host} at ${new Date().toISOString()}: ${id.slice(0, 12)}`);
    }
  }

  private async count(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.counters.read();
      await delay(COUNT_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private leaderHost(): Promise<string> {
    const what = 'both coordinators to agree on who leads';
    return eventually(() => this.watch.leaderHost(), { timeoutMs: SETTLE_MS, intervalMs: 500, what });
  }

  private async running(): Promise<readonly LabContainer[]> {
    return (await this.watch.engines.containers()).filter((container) => container.running);
  }

  private async runsOf(containers: readonly LabContainer[]): Promise<ReadonlyMap<string, string>> {
    const runOf = (container: LabContainer) => this.watch.engines.runOf(container).catch(() => 'gone');
    return new Map(await Promise.all(containers.map(async (each) => [each.id, await runOf(each)] as const)));
  }
}

function endedRun(id: string): string {
  return `${id.slice(0, 12)} is not the run it was at the beginning`;
}

/** One line a round. */
export function soakTable(rounds: readonly SoakRound[]): string {
  const rows = rounds.map(({ number, disturbance, loadAverage: load, wholeAfterMs, alarms }) => {
    const seconds = (wholeAfterMs / 1000).toFixed(1);
    return [String(number), disturbance, load.toFixed(1), seconds, alarms.length === 0 ? 'none' : alarms.join('; ')];
  });
  const lines = [
    ['round', 'what happened', 'load', 'whole after s', 'false alarms'],
    ['---:', '---', '---:', '---:', '---'],
    ...rows,
  ];
  return lines.map((columns) => `| ${columns.join(' | ')} |`).join('\n');
}
