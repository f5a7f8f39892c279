import { describe, expect, it } from 'vitest';
import { autoscalePolicy } from '../../../../coordinator/autoscale/policy.ts';
import { checkServiceSpec } from '../../../../coordinator/wishes/service-rules.ts';
import { scalingSpec } from '../../../support/autoscale.ts';
import { aSpec } from '../../../support/snapshots.ts';

describe('autoscalePolicy()', () => {
  it("fills in HPA v2's defaults", () => {
    expect(autoscalePolicy(scalingSpec({ max: '8', cpu: '60%' }))).toEqual({
      min: 1,
      max: 8,
      mode: 'on',
      targets: [{ source: 'cpu', percent: 60, reserved: 1 }],
      tolerance: 0.1,
      warmUpMs: 10_000,
      holdOffMs: 600_000,
      up: {
        windowMs: 0,
        coolDownMs: 0,
        steps: [
          { kind: 'percent', amount: 100, periodMs: 15_000 },
          { kind: 'replicas', amount: 4, periodMs: 15_000 },
        ],
      },
      down: { windowMs: 300_000, coolDownMs: 0, steps: [{ kind: 'percent', amount: 100, periodMs: 15_000 }] },
    });
  });

  it('takes shares of the reservation, else of the limit', () => {
    const Resources = { Limits: { NanoCPUs: 4e9, MemoryBytes: 2e8 }, Reservations: { NanoCPUs: 5e8 } };
    const spec = scalingSpec({ max: '8', cpu: '60', memory: '70' });
    const policy = autoscalePolicy({ ...spec, TaskTemplate: { ...spec.TaskTemplate, Resources } });
    expect(policy?.targets).toEqual([
      { source: 'cpu', percent: 60, reserved: 0.5 },
      { source: 'memory', percent: 70, reserved: 2e8 },
    ]);
  });

  it('is none for a service without its labels', () => {
    expect(autoscalePolicy(aSpec())).toBeUndefined();
  });

  it('reads windows, steps and cool-downs', () => {
    const policy = autoscalePolicy(
      scalingSpec({ max: '8', cpu: '60', 'down-window': '1m30s', 'down-steps': '1/30s, 10%/1m', 'up-cool-down': '5s' }),
    );
    expect(policy?.down).toEqual({
      windowMs: 90_000,
      coolDownMs: 0,
      steps: [
        { kind: 'replicas', amount: 1, periodMs: 30_000 },
        { kind: 'percent', amount: 10, periodMs: 60_000 },
      ],
    });
    expect(policy?.up.coolDownMs).toBe(5_000);
  });
});

describe('a service with nonsense in its autoscaling labels is refused by the name of the label', () => {
  it.each<[what: string, options: Record<string, string>, error: RegExp]>([
    ['no max', { min: '2', cpu: '60' }, /autoscale\.max must be given/],
    ['min above max', { min: '9', max: '3', cpu: '60' }, /autoscale\.min is 9, more than plimsoll\.autoscale\.max, 3/],
    ['max 0', { min: '0', max: '0', cpu: '60' }, /autoscale\.max must be at least 1/],
    ['max not a number', { max: 'many', cpu: '60' }, /autoscale\.max must be a number of replicas/],
    ['max in scientific notation', { max: '1e3', cpu: '60' }, /autoscale\.max must be a number of replicas/],
    ['no target', { max: '3' }, /autoscale\.cpu is not there, nor is/],
    ['a share of nothing', { max: '3', cpu: '0' }, /autoscale\.cpu must be a share/],
    ['a query without target', { max: '3', query: 'up' }, /autoscale\.query and plimsoll\.autoscale\.target belong/],
    ['a target without query', { max: '3', cpu: '5', target: '1' }, /autoscale\.query and .*target belong together/],
    ['a target below 0', { max: '3', query: 'up', target: '-1' }, /autoscale\.target must be a number above 0/],
    ['kind of answer alone', { max: '3', cpu: '5', 'query-answers': 'total' }, /query-answers needs/],
    ['0 replicas that nothing wakes', { min: '0', max: '3', cpu: '60' }, /autoscale\.min may be 0 only with/],
    ['steps of nothing', { max: '3', cpu: '60', 'up-steps': '4' }, /autoscale\.up-steps must be replicas or a share/],
    [
      'a window that is no time',
      { max: '3', cpu: '60', 'down-window': '5' },
      /autoscale\.down-window must be a duration/,
    ],
    ['an unknown mode', { max: '3', cpu: '60', mode: 'off' }, /autoscale\.mode must be on or advise/],
    ['an unknown label', { max: '3', cpu: '60', cpus: '6' }, /Plimsoll knows no label "plimsoll\.autoscale\.cpus"/],
    ['connections nobody can begin', { max: '3', connections: '60' }, /autoscale\.connections counts/],
    ['half a queue', { max: '3', 'nats.stream': 'jobs' }, /nats\.stream .*nats\.lag belong together/],
    ['a queue of no name', { max: '3', 'nats.stream': 'a b' }, /nats\.stream must be a name/],
  ])('%s', (_, options, error) => {
    expect(() => checkServiceSpec(scalingSpec(options))).toThrow(error);
  });

  it('a share without reservation or limit', () => {
    const spec = scalingSpec({ max: '3', cpu: '60' });
    const bare = { ...spec, TaskTemplate: { ContainerSpec: { Image: 'a:1' } } };
    expect(() => checkServiceSpec(bare)).toThrow(/autoscale\.cpu is a share of the reservation or limit of cpu/);
  });

  it('a global service', () => {
    expect(() => checkServiceSpec(scalingSpec({ max: '3', cpu: '60' }, { Mode: { Global: {} } }))).toThrow(
      /autoscale\.max is for replicated services, this one is global/,
    );
  });
});
