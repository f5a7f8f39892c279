/** One run of a history: things happen, then everything heals, and the cluster must settle and stay so. */
import { leaderBucketNames } from '../../bus/bucket-definitions.ts';
import { Fate, records } from './befall.ts';
import type { History } from './happenings.ts';
import { invariants } from './invariants/all.ts';
import { whyNotConverged } from './invariants/convergence.ts';
import { GroundTruth, isSoundService } from './invariants/ground-truth.ts';
import type { Invariant, Scene } from './invariants/invariant.ts';
import { Operator } from './operator.ts';
import type { Mutations } from './world/mutations.ts';
import { World } from './world/world.ts';

export interface Violation {
  readonly invariant: string;
  readonly sentence: string;
  readonly atMs: number;
}

export interface Outcome {
  readonly violation: Violation | undefined;
  /** How long it took to settle after everything had healed; undefined when it never did. */
  readonly settledAfterMs: number | undefined;
  readonly trace: readonly string[];
}

export interface RunOptions {
  readonly traced?: boolean;
  readonly mutations?: Mutations;
}

/** The rest of a run, in which everything heals. */
const HEALING_SHARE = 0.3;
/** After everything has healed, a cluster is as its users want it within this time. */
const SETTLE_MS = 150_000;
/** A settled leader writes nothing: for longer than any full pass, in long runs. */
const QUIET_SHARE = 1 / 6;
/** The loss of records of which no watch tells is noticed at the next full pass; what they leave is swept after a minute. */
const NOTICED_AFTER_MS = 75_000;
const LONGEST_QUIET_MS = 35_000;

export async function run(history: History, options: RunOptions = {}): Promise<Outcome> {
  return new Run(history, options).toTheEnd();
}

class Run {
  private readonly history: History;
  private readonly scene: Scene;
  private readonly watching: readonly Invariant[];
  private violation: Violation | undefined;

  constructor(history: History, { traced = false, mutations = {} }: RunOptions) {
    this.history = history;
    const world = new World({ ...history, traced, mutations });
    const operator = new Operator(world);
    this.scene = { world, operator, truth: new GroundTruth(world) };
    this.watching = invariants.map((make) => make(this.scene));
    const fate = new Fate(world, operator);
    for (const { atMs, happening } of history.entries) world.time.after(atMs, () => fate.happen(happening));
    world.witnesses.push((host, event, container) => {
      for (const one of this.watching) {
        if (container) this.note(one.name, one.onContainer?.(host, event, container));
      }
    });
  }

  async toTheEnd(): Promise<Outcome> {
    const { world } = this.scene;
    const endMs = this.history.minutes * 60_000;
    world.boot();
    await this.pass(endMs * (1 - HEALING_SHARE));
    world.heal();
    const healedAtMs = world.time.nowMs;
    let reason: string | undefined = 'not asked yet';
    while (!this.violation && reason !== undefined && world.time.nowMs < healedAtMs + SETTLE_MS) {
      await this.pass(world.time.nowMs + 1_000);
      reason = whyNotConverged(this.scene);
    }
    const settledAfterMs = reason === undefined ? world.time.nowMs - healedAtMs : undefined;
    this.note('converges', reason && `not settled ${SETTLE_MS / 1000} s after everything healed: ${reason}`);
    await this.beQuiet();
    for (const one of this.watching) this.note(one.name, one.atEnd?.());
    world.end();
    return { violation: this.violation, settledAfterMs, trace: this.readableTrace() };
  }

  /** What was settled stays so, and the leader finds nothing to do. */
  private async beQuiet(): Promise<void> {
    if (this.violation || !this.scene.truth.services().every(isSoundService)) return;
    const { world } = this.scene;
    const isUnnoticed = () => world.disturbances.since(world.time.nowMs - NOTICED_AFTER_MS, records);
    while (!this.violation && isUnnoticed()) await this.pass(world.time.nowMs + 1_000);
    const quietMs = Math.min(LONGEST_QUIET_MS, this.history.minutes * 60_000 * QUIET_SHARE);
    await this.pass(this.scene.world.time.nowMs + quietMs);
    const before = this.written();
    await this.pass(this.scene.world.time.nowMs + quietMs);
    const after = this.written();
    this.note('a settled cluster plans nothing', before === after ? undefined : `written: ${before}, then ${after}`);
    const reason = whyNotConverged(this.scene);
    this.note('stays settled', reason && `was settled, then: ${reason}`);
  }

  /** With the names of hosts and services in the place of their ids. */
  private readableTrace(): string[] {
    const { world, operator } = this.scene;
    const names = new Map(world.hosts.map(({ nodeId, name }) => [nodeId, name]));
    for (const { id, name } of operator.services.values()) if (id !== undefined) names.set(id, name);
    return world.trace.lines.map((line) => line.replace(/\b[a-z0-9]{25}\b/g, (id) => names.get(id) ?? id));
  }

  /** How far the leader's buckets are. */
  private written(): string {
    const { server } = this.scene.world.network;
    return leaderBucketNames
      .map((name) => `${name} ${server.store(name).content('>').at(-1)?.revision ?? 0}`)
      .join(', ');
  }

  private async pass(untilMs: number): Promise<void> {
    const { time } = this.scene.world;
    while (!this.violation && time.nowMs < untilMs) {
      await time.runUntil(Math.min(untilMs, time.nowMs + 1_000));
      for (const one of this.watching) this.note(one.name, one.eachSecond?.());
    }
  }

  private note(invariant: string, sentence: string | undefined): void {
    if (sentence === undefined || this.violation) return;
    const { time, trace } = this.scene.world;
    this.violation = { invariant, sentence, atMs: time.nowMs };
    trace.note('VIOLATION', `${invariant}: ${sentence}`);
  }
}
