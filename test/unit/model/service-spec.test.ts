import { describe, expect, it } from 'vitest';
import { restartRules, updateRules } from '../../../model/service-defaults.ts';
import { dropNulls, ServiceSpec } from '../../../model/service-spec.ts';

const minimal = { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'bb:1' } } };

describe('ServiceSpec', () => {
  it('accepts what `service create` sends at least', () => {
    const sent = {
      Name: 'd1',
      Labels: {},
      TaskTemplate: {
        ContainerSpec: { Image: 'bb:1', Args: ['sleep', '1000'], Init: false, DNSConfig: {} },
        Resources: { Limits: {}, Reservations: {} },
        Placement: {},
        ForceUpdate: 0,
      },
      Mode: { Replicated: {} },
      EndpointSpec: { Mode: 'vip' },
    };

    expect(ServiceSpec.parse(sent)).toEqual(sent);
  });

  it.each([
    [{ ...minimal, Bogus: 1 }, 'Bogus'],
    [{ ...minimal, Mode: { Replicated: { Replicas: -1 } } }, 'Replicas'],
    [{ ...minimal, Mode: { Replicated: { Replicas: '3' } } }, 'Replicas'],
    [{ Name: 'web', TaskTemplate: {} }, 'ContainerSpec'],
    [{ ...minimal, EndpointSpec: { Ports: [{ TargetPort: 70000 }] } }, 'TargetPort'],
    [{ ...minimal, UpdateConfig: { MaxFailureRatio: 2 } }, 'MaxFailureRatio'],
  ])('refuses %j and names the field', (spec, field) => {
    const result = ServiceSpec.safeParse(spec);

    expect(result.success).toBe(false);
    expect(JSON.stringify(result.error?.issues)).toContain(field);
  });
});

describe('dropNulls()', () => {
  it('takes null members away at any depth and keeps everything else', () => {
    expect(dropNulls({ a: null, b: [{ c: null, d: 0 }], e: '', f: false })).toEqual({ b: [{ d: 0 }], e: '', f: false });
  });
});

describe('defaults', () => {
  it('are those of Swarm for an absent or empty update config', () => {
    const expected = {
      parallelism: 1,
      delayMs: 0,
      failureAction: 'pause',
      monitorMs: 5000,
      maxFailureRatio: 0,
      order: 'stop-first',
    };

    expect(updateRules(undefined)).toEqual(expected);
    expect(updateRules({ Order: '', FailureAction: '' })).toEqual(expected);
  });

  it('tell an absent restart delay from one that was asked for', () => {
    expect(restartRules(undefined).delayMs).toBeUndefined();
    expect(restartRules({ Delay: 0 }).delayMs).toBe(0);
    expect(restartRules({ Delay: 2_000_000_000 }).delayMs).toBe(2000);
  });
});
