/** A load that steps from 1x to 4x, replicas that share it and take their time to start: what count is reached, and how. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../../coordinator/autoscale/decide.ts';
import { measureUsage, type Replica } from '../../../../coordinator/autoscale/measurement.ts';
import { noHistory, type ScaleHistory } from '../../../../coordinator/autoscale/pace.ts';
import { autoscalePolicy } from '../../../../coordinator/autoscale/policy.ts';
import { timesDown } from '../../../bench/autoscale/counts.ts';
import { countsThatStay } from '../../../bench/autoscale/prediction.ts';
import { scalingSpec } from '../../../support/autoscale.ts';

const LOOK_MS = 2_000;
const MAX = 12;
const LOOKS_BEFORE = 60;
const LOOKS_AFTER = 120;
/** As the autoscaler's own mean of what a replica said last. */
const READINGS = 3;

interface Course {
  /** After the step, in replicas that would be at their target just so. */
  readonly load: number;
  /** From the decision until a new replica is ready. */
  readonly startMs: number;
  /** What one replica can use at the most, in targets: at one replica the load cannot be told any more. */
  readonly mostOfOne: number;
}

interface Member {
  readonly readyAtMs: number;
  readonly used: readonly number[];
}

/** The cluster's part: as many replicas as are wanted, the load in equal parts among those that are ready. */
class Crew {
  private members: readonly Member[] = [{ readyAtMs: 0, used: [] }];
  private readonly course: Course;

  constructor(course: Course) {
    this.course = course;
  }

  wants(count: number, nowMs: number): void {
    const added = { readyAtMs: nowMs + this.course.startMs, used: [] };
    const kept = this.members.slice(0, count);
    this.members = [...kept, ...Array.from({ length: count - kept.length }, () => added)];
  }

  /** What they are seen to use of `load` targets, as cores. */
  look(load: number, target: number, nowMs: number): Replica[] {
    const ready = this.members.filter(({ readyAtMs }) => readyAtMs <= nowMs).length;
    const used = Math.min(load / Math.max(1, ready), this.course.mostOfOne) * target;
    this.members = this.members.map((member) =>
      member.readyAtMs <= nowMs ? { ...member, used: [...member.used, used].slice(-READINGS) } : member,
    );
    return this.members.map(({ readyAtMs, used: readings }) => {
      if (readyAtMs > nowMs) return { readyForMs: undefined };
      return { readyForMs: nowMs - readyAtMs, cpu: readings.reduce((sum, each) => sum + each, 0) / readings.length };
    });
  }
}

/** Counts after the step, look by look. */
function follow(course: Course): number[] {
  const policy = autoscalePolicy(scalingSpec({ max: String(MAX), cpu: '60%', 'down-window': '10s' }));
  const [target] = policy?.targets ?? [];
  if (policy === undefined || target?.source !== 'cpu') throw new Error('these labels make no policy');
  const crew = new Crew(course);
  let history: ScaleHistory = noHistory;
  let current = 1;
  const counts: number[] = [];
  for (let look = 0; look < LOOKS_BEFORE + LOOKS_AFTER; look += 1) {
    const nowMs = look * LOOK_MS;
    const load = look < LOOKS_BEFORE ? course.load / 4 : course.load;
    const replicas = crew.look(load, target.reserved * (target.percent / 100), nowMs);
    const { warmUpMs, tolerance } = policy;
    const readings = [measureUsage(target, { wanted: current, replicas, warmUpMs, tolerance })];
    const decided = decide(
      { policy, current, readings, heldForMs: 0, isUpdating: false, noRoom: undefined },
      history,
      nowMs,
    );
    history = decided.history;
    current = decided.decision.replicas;
    crew.wants(current, nowMs);
    if (look >= LOOKS_BEFORE) counts.push(current);
  }
  return counts;
}

const courses = fc.record({
  load: fc.double({ min: 0.5, max: 10, noNaN: true }),
  startMs: fc.integer({ min: 500, max: 8_000 }),
  mostOfOne: fc.double({ min: 1.2, max: 20, noNaN: true }),
});

describe('a load that is four times what it was', () => {
  it('has a count that the formula leaves at that load, overshot once at the most, and no more changes', () => {
    fc.assert(
      fc.property(courses, (course) => {
        const counts = follow(course);
        const predicted = countsThatStay(course.load, MAX);
        expect(predicted).toContain(counts.at(-1));
        expect(new Set(counts.slice(-LOOKS_AFTER / 2)).size, 'counts in the second half').toBe(1);
        expect(timesDown(counts)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  it('has three where it fills 3.2 and replicas were added while it was half seen: that near the target is near enough', () => {
    expect(follow({ load: 3.2, startMs: 8_000, mostOfOne: 20 }).at(-1)).toBe(3);
  });
});
