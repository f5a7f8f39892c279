import { describe, expect, it } from 'vitest';
import {
  type Crew,
  measureQuery,
  measureQueue,
  measureUsage,
  type Replica,
} from '../../../../coordinator/autoscale/measurement.ts';
import { aPolicy } from '../../../support/autoscale.ts';

const cpuTarget = { source: 'cpu', percent: 50, reserved: 1 } as const;
const warm = (cpu?: number): Replica => ({ readyForMs: 60_000, cpu });
const fresh = (cpu: number): Replica => ({ readyForMs: 2_000, cpu });

function crew(replicas: readonly Replica[], wanted = replicas.length): Crew {
  return { wanted, replicas, warmUpMs: 10_000, tolerance: 0.1 };
}

describe('measureUsage()', () => {
  it.each<[what: string, replicas: readonly Replica[], count: number, expected: number]>([
    ['rounds up what the ratio asks for', [warm(1), warm(0.6)], 2, 4],
    ['leaves a load near its target alone', [warm(0.54), warm(0.46)], 2, 2],
    ['asks for fewer', [warm(0.1), warm(0.1), warm(0.1), warm(0.1)], 4, 1],
    [
      'does not add a replica for a rounding error',
      [warm(0.3), warm(0.3), warm(0.3)].map((r) => ({ ...r, cpu: 0.7 })),
      3,
      5,
    ],
    ['takes replicas that say nothing as idle above the target', [warm(1), warm()], 2, 2],
    ['takes replicas that say nothing as fully used below it', [warm(0.2), warm()], 2, 2],
    ['takes replicas that warm up as idle above the target', [warm(1), fresh(3)], 2, 2],
    ['does not take what they took over for a load that has gone', [warm(0.3), fresh(0.3)], 2, 2],
    ['takes replicas that are not there yet as idle above the target', [warm(2)], 4, 4],
    ['goes on up when that is not enough', [warm(4)], 4, 8],
    ['never contradicts the load', [warm(1)], 3, 3],
    ['wants none where none is wanted', [], 0, 0],
  ])('%s', (_, replicas, count, expected) => {
    expect(measureUsage(cpuTarget, crew(replicas, count)).wanted).toBe(expected);
  });

  it('counts connections a replica begins to get in a second', () => {
    const target = { source: 'connections', perSecond: 10 } as const;
    const called = (connections?: number): Replica => ({ readyForMs: 60_000, connections });
    expect(measureUsage(target, crew([called(25), called(15)]))).toEqual({
      source: 'connections',
      target: 10,
      value: 20,
      wanted: 4,
      words: 'a replica gets 20 new connections a second, the target is 10',
    });
    expect(measureUsage(target, crew([called(0), called(0)])).wanted).toBe(0);
    expect(measureUsage(target, crew([called(4), called()])).wanted).toBe(2);
    expect(measureUsage(target, crew([called()])).wanted).toBeUndefined();
  });

  it('counts messages that wait, and wakes from 0 by them', () => {
    const target = { source: 'nats', stream: 'jobs', consumer: 'workers', lag: 10 } as const;
    const wanted = (value: number, count: number) => measureQueue(target, { value }, crew([], count)).wanted;
    expect([wanted(35, 1), wanted(1, 0), wanted(0, 3), wanted(31, 3)]).toEqual([4, 1, 0, 3]);
    expect(measureQueue(target, { value: 35 }, crew([])).words).toBe(
      '35 messages of jobs wait for workers, the target is 10 a replica',
    );
    expect(measureQueue(target, { problem: 'it is down' }, crew([])).wanted).toBeUndefined();
  });

  it('says why it cannot tell', () => {
    expect(measureUsage(cpuTarget, crew([fresh(1)]))).toMatchObject({
      words: expect.stringMatching(/ready long enough/),
    });
    expect(measureUsage(cpuTarget, crew([warm()]))).toMatchObject({
      words: expect.stringMatching(/nothing was heard/),
    });
    expect(measureUsage(cpuTarget, crew([warm()])).wanted).toBeUndefined();
  });
});

describe('measureQuery()', () => {
  const target = (answers: 'total' | 'per-replica') => {
    const [query] = aPolicy({ 'query-answers': answers }).targets;
    if (query?.source !== 'query') throw new Error('no query');
    return query;
  };

  it.each<
    [
      what: string,
      answers: 'total' | 'per-replica',
      value: number,
      replicas: Replica[],
      count: number,
      expected: number,
    ]
  >([
    ['divides a total by what a replica carries', 'total', 41, [warm()], 1, 5],
    ['leaves a total near its target alone', 'total', 21.9, [warm(), warm()], 2, 2],
    ['wakes a service of none', 'total', 0.5, [], 0, 1],
    ['lets a service without load go to none', 'total', 0, [warm()], 1, 0],
    ['multiplies the ready by the ratio of a mean', 'per-replica', 25, [warm(), warm()], 2, 5],
    ['does not take a mean over few for a reason to shrink', 'per-replica', 15, [warm()], 4, 4],
    ['asks for no more than a record can hold', 'total', 1e300, [warm()], 1, Number.MAX_SAFE_INTEGER],
    ['shrinks by the ratio of a mean', 'per-replica', 5, [warm(), warm(), warm(), warm()], 4, 2],
  ])('%s', (...[, answers, value, replicas, count, expected]) => {
    expect(measureQuery(target(answers), { value }, crew(replicas, count)).wanted).toBe(expected);
  });

  it('passes on why there is no answer', () => {
    const reading = measureQuery(target('total'), { problem: 'it answers NaN' }, crew([warm()]));
    expect(reading).toEqual({ source: 'query', target: 10, words: 'query: it answers NaN' });
  });
});
