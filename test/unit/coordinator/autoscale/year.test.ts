/** A year of a service that scales itself, two minutes at a time: days and nights, weekends, noise, gaps in what is measured, deploys. */
import { expect, it } from 'vitest';
import { decide } from '../../../../coordinator/autoscale/decide.ts';
import { measureQuery } from '../../../../coordinator/autoscale/measurement.ts';
import { noHistory, type ScaleHistory } from '../../../../coordinator/autoscale/pace.ts';
import type { AutoscalePolicy } from '../../../../coordinator/autoscale/policy.ts';
import { Random } from '../../../simulation/world/random.ts';
import { aPolicy } from '../../../support/autoscale.ts';

const STEP_MS = 120_000;
/** Until what a load asked for is ready: a look every 2 s, and the start of a container. */
const REACTION_MS = 10_000;
const STEPS_A_DAY = 86_400_000 / STEP_MS;
const TARGET = 100;

interface Step {
  readonly load: number;
  readonly isGap: boolean;
  readonly isUpdating: boolean;
}

/** Lots fall for a gap of up to 10 minutes every third day and for a deploy of up to 8 minutes each day. */
function* aYear(random: Random): Generator<Step> {
  const gap = new Spell(random, 3 * STEPS_A_DAY, 5);
  const deploy = new Spell(random, STEPS_A_DAY, 4);
  let noise = 0;
  for (let step = 0; step < 365 * STEPS_A_DAY; step += 1) {
    const hour = ((step % STEPS_A_DAY) / STEPS_A_DAY) * 24;
    const isWeekend = Math.floor(step / STEPS_A_DAY) % 7 >= 5;
    const daily = 1_100 - 800 * Math.cos(((hour - 3) / 24) * 2 * Math.PI);
    noise = 0.9 * noise + 0.1 * (random.next() - 0.5);
    yield { load: daily * (isWeekend ? 0.6 : 1) * (1 + noise), isGap: gap.next(), isUpdating: deploy.next() };
  }
}

/** Something that lasts a while, now and then. */
class Spell {
  private left = 0;
  private readonly random: Random;
  private readonly everySteps: number;
  private readonly longest: number;

  constructor(random: Random, everySteps: number, longest: number) {
    this.random = random;
    this.everySteps = everySteps;
    this.longest = longest;
  }

  next(): boolean {
    if (this.left > 0) this.left -= 1;
    else if (this.random.next() < 1 / this.everySteps) this.left = 1 + Math.floor(this.random.next() * this.longest);
    return this.left > 0;
  }
}

interface Lived {
  readonly counts: readonly number[];
  readonly ideal: readonly number[];
  readonly overTarget: number;
}

function live(policy: AutoscalePolicy, days: Iterable<Step>): Lived {
  const [target] = policy.targets;
  if (target?.source !== 'query') throw new Error('the year is scaled by a query');
  const counts: number[] = [];
  const ideal: number[] = [];
  let history: ScaleHistory = noHistory;
  let current = 5;
  let overTarget = 0;
  for (const { load, isGap, isUpdating } of days) {
    const before = current;
    const crew = { wanted: current, replicas: [], warmUpMs: 0, tolerance: policy.tolerance };
    const readings = [measureQuery(target, isGap ? { problem: 'no answer' } : { value: load }, crew)];
    const situation = { policy, current, readings, heldForMs: 0, isUpdating, noRoom: undefined };
    const decided = decide(situation, history, counts.length * STEP_MS);
    history = decided.history;
    current = decided.decision.replicas;
    const meanLoad = (REACTION_MS * (load / before) + (STEP_MS - REACTION_MS) * (load / current)) / STEP_MS;
    if (meanLoad > TARGET * (1 + policy.tolerance)) overTarget += 1;
    counts.push(current);
    ideal.push(Math.max(policy.min, Math.ceil(load / TARGET)));
  }
  return { counts, ideal, overTarget };
}

/** How often the count goes down less than a down window after it went up. */
function oscillations(counts: readonly number[], windowSteps: number): number {
  let lastUp = Number.NEGATIVE_INFINITY;
  let found = 0;
  for (const [step, count] of counts.entries()) {
    const before = counts[step - 1] ?? count;
    if (count > before) lastUp = step;
    if (count < before && step - lastUp < windowSteps) found += 1;
  }
  return found;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

it('a year of daily load: within bounds, without oscillation, little more than ideal, hardly ever over target', () => {
  const policy = aPolicy({ min: '3', max: '30', target: String(TARGET) });
  const { counts, ideal, overTarget } = live(policy, aYear(new Random(7)));
  expect(Math.min(...new Set(counts))).toBe(3);
  expect(Math.max(...new Set(counts))).toBeLessThanOrEqual(30);
  expect(oscillations(counts, policy.down.windowMs / STEP_MS)).toBe(0);
  expect(sum(counts) / sum(ideal), 'replica-hours over the ideal').toBeLessThanOrEqual(1.25);
  expect(overTarget / counts.length, 'share of time over target').toBeLessThanOrEqual(0.005);
});
