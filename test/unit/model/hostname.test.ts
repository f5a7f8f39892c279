import { describe, expect, it } from 'vitest';
import { hostnameProblem } from '../../../model/hostname.ts';

describe('hostnameProblem()', () => {
  it.each(['h1', 'web-01.rack-2.example.org', 'build_host', '10', 'a'.repeat(63)])('takes %s', (hostname) => {
    expect(hostnameProblem(hostname)).toBeUndefined();
  });

  it.each([
    '',
    'h1\nSet-Cookie: a=b',
    'h1"',
    'a b',
    '-h1',
    'h1-',
    'h1.',
    'a..b',
    'höst',
    'a'.repeat(64),
    `${'a.'.repeat(126)}aa`,
  ])('refuses %j', (hostname) => {
    expect(hostnameProblem(hostname)).toMatch(/\S/);
  });
});
