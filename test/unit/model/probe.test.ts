import { describe, expect, it } from 'vitest';
import { parseProbe } from '../../../model/probe.ts';

const kubernetesDefaults = {
  initialDelayMs: 0,
  periodMs: 10_000,
  timeoutMs: 1_000,
  successThreshold: 1,
  failureThreshold: 3,
};

describe('parseProbe()', () => {
  it.each([
    ['http://:8080/healthz?a=b', { kind: 'http', scheme: 'http', port: 8080, path: '/healthz?a=b' }],
    ['https://:8443', { kind: 'http', scheme: 'https', port: 8443, path: '/' }],
    ['tcp://:5432', { kind: 'tcp', port: 5432 }],
    ['exec test -f period=5s', { kind: 'exec', command: ['test', '-f', 'period=5s'] }],
  ])('%s', (text, target) => {
    expect(parseProbe(text)).toEqual({ ...kubernetesDefaults, target });
  });

  it('reads every option', () => {
    const text = 'initial-delay=1m period=5s timeout=250ms success-threshold=2 failure-threshold=9 tcp://:1';
    expect(parseProbe(text)).toEqual({
      target: { kind: 'tcp', port: 1 },
      initialDelayMs: 60_000,
      periodMs: 5_000,
      timeoutMs: 250,
      successThreshold: 2,
      failureThreshold: 9,
    });
  });

  it.each([
    '',
    'period=5s',
    'http://web:80/',
    'http://:0/',
    'tcp://:99999',
    'tcp://:80/path',
    'exec',
    'period=0s tcp://:1',
    'period=5 tcp://:1',
    'constructor=1 tcp://:1',
    'tcp://:1 more',
    'failure-threshold=0 tcp://:1',
  ])('refuses "%s"', (text) => {
    expect(parseProbe(text)).toBeUndefined();
  });
});
