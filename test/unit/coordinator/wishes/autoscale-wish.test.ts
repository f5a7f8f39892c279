import { describe, expect, it } from 'vitest';
import type { Prometheus, PrometheusAnswer } from '../../../../coordinator/autoscale/prometheus.ts';
import { checkQuery, handScalingWarnings } from '../../../../coordinator/wishes/autoscale-wish.ts';
import { scalingSpec } from '../../../support/autoscale.ts';
import { aSpec } from '../../../support/snapshots.ts';

const byQuery = scalingSpec({ max: '5', query: 'load', target: '10' });
const answering = (answer: PrometheusAnswer): Prometheus => ({ query: async () => answer });

describe('checkQuery()', () => {
  it('refuses a query that can never answer one number', async () => {
    const many = answering({ problem: 'it answers 3 series, and must answer one: sum them', isFault: true });
    await expect(checkQuery(byQuery, undefined, many)).rejects.toThrow(/autoscale\.query: it answers 3 series/);
  });

  it('refuses a query nobody can be asked', async () => {
    await expect(checkQuery(byQuery, undefined, undefined)).rejects.toThrow(/--prometheus/);
  });

  it('warns of a Prometheus that does not answer now', async () => {
    const warnings = await checkQuery(byQuery, undefined, answering({ problem: 'it is down' }));
    expect(warnings).toEqual([expect.stringMatching(/autoscale\.query: it is down; until it answers/)]);
  });

  it('does not ask for what was asked before, or where nothing is to be asked', async () => {
    const down = answering({ problem: 'it is down' });
    expect(await checkQuery(byQuery, byQuery, down)).toEqual([]);
    expect(await checkQuery(aSpec(), undefined, undefined)).toEqual([]);
  });
});

describe('handScalingWarnings()', () => {
  const at = (replicas: number) =>
    scalingSpec({ max: '5', cpu: '60' }, { Mode: { Replicated: { Replicas: replicas } } });

  it('announces for how long a count set by hand stands', () => {
    expect(handScalingWarnings(at(3), at(1))).toEqual([
      'web scales itself between 1 and 5 replicas: it is left at 3 for 10m (plimsoll.autoscale.hold-off)',
    ]);
    expect(handScalingWarnings(at(0), at(1))[0]).toMatch(/left at 0 until it is scaled up again/);
  });

  it('has nothing to say of other changes', () => {
    expect(handScalingWarnings(at(3), at(3))).toEqual([]);
    expect(handScalingWarnings(at(3), undefined)).toEqual([]);
    expect(handScalingWarnings(aSpec(), at(3))).toEqual([]);
  });
});
