import { describe, expect, it } from 'vitest';
import type { IngressEndpoint } from '../../../../agent/network/ingress-table.ts';
import { staleUdpFlows } from '../../../../agent/network/udp-flows.ts';

const dns: IngressEndpoint = {
  taskId: 'a',
  protocol: 'udp',
  publishedPort: 53,
  address: '172.17.0.2',
  targetPort: 5353,
};

describe('staleUdpFlows()', () => {
  it('forgets the flows of an endpoint that is gone', () => {
    expect(staleUdpFlows([dns, { ...dns, address: '172.17.0.3' }], [dns])).toEqual([
      ['-p', 'udp', '--orig-port-dst', '53', '--reply-src', '172.17.0.3'],
    ]);
  });

  it('forgets flows to the host itself when a port gets its first endpoint', () => {
    expect(staleUdpFlows([], [dns])).toEqual([['-p', 'udp', '--orig-port-dst', '53']]);
  });

  it('keeps every flow while nothing changes, and never touches TCP', () => {
    expect(staleUdpFlows([dns], [dns])).toEqual([]);
    expect(staleUdpFlows([{ ...dns, protocol: 'tcp' }], [])).toEqual([]);
  });
});
