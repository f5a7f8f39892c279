import { expect, it } from 'vitest';
import { lastFailure } from '../../bench/network/kill.ts';
import { rateOf } from '../../bench/network/load.ts';

it('reads the rate wrk tells of, connections that the server closed included', () => {
  const said =
    '  2671 requests in 2.05s\n  Socket errors: connect 0, read 7, write 0, timeout 0\nRequests/sec:   1304.71\n';

  expect(rateOf(said)).toBe(1304.71);
});

it.each([
  'Requests/sec:      0.00\n',
  'Socket errors: connect 3, read 0, write 0, timeout 0\nRequests/sec: 12\n',
  'Socket errors: connect 0, read 0, write 0, timeout 1\nRequests/sec: 12\n',
  'unable to connect to 10.0.0.1:80 Connection refused',
])('takes no rate of what did not answer: %s', (said) => {
  expect(() => rateOf(said)).toThrow('wrk did not get its answers');
});

it('tells when the last connection began that did not come about', () => {
  expect(lastFailure('100.5 up\n104 failed\n108 up\n')).toBe(104);
  expect(lastFailure('100.5 up\n')).toBe(0);
});
