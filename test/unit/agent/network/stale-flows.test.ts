import { describe, expect, it } from 'vitest';
import type { IngressEndpoint, MeshView } from '../../../../agent/network/ingress-table.ts';
import { staleFlows } from '../../../../agent/network/stale-flows.ts';

const treatment = { affinity: 'none', masquerade: false } as const;
const dns: IngressEndpoint = {
  taskId: 'a',
  protocol: 'udp',
  publishedPort: 53,
  address: '172.17.0.2',
  targetPort: 5353,
  ...treatment,
};

const mesh = undefined;

function meshWith(protocol: 'tcp' | 'udp', ...ports: number[]): MeshView {
  const published = ports.map((port) => ({ protocol, port, tasks: 1, ...treatment }));
  const peer = { nodeId: 'b', number: 1, address: '10.0.0.2', mac: '02:00:00:00:00:02', ports: published };
  return { nodeId: 'a', address: '10.0.0.1', peers: [peer] };
}

describe('staleFlows()', () => {
  it('forgets the flows of an endpoint that is gone', () => {
    const before = { endpoints: [dns, { ...dns, address: '172.17.0.3' }], mesh };

    expect(staleFlows(before, { endpoints: [dns], mesh })).toEqual([
      ['-p', 'udp', '--orig-port-dst', '53', '--reply-src', '172.17.0.3'],
    ]);
  });

  it('forgets flows to a node that has no task of the port any more', () => {
    expect(
      staleFlows({ endpoints: [dns], mesh: meshWith('udp', 53) }, { endpoints: [dns], mesh: meshWith('udp') }),
    ).toEqual([['-p', 'udp', '--orig-port-dst', '53', '--reply-src', '10.0.0.2']]);
  });

  it('forgets flows to the host itself when a port gets its first endpoint', () => {
    expect(staleFlows({ endpoints: [], mesh }, { endpoints: [dns], mesh })).toEqual([
      ['-p', 'udp', '--orig-port-dst', '53'],
    ]);
  });

  it('keeps every flow while nothing changes', () => {
    expect(staleFlows({ endpoints: [dns], mesh }, { endpoints: [dns], mesh })).toEqual([]);
  });

  it('of TCP, forgets only what nobody has answered yet', () => {
    expect(staleFlows({ endpoints: [], mesh: meshWith('tcp', 80) }, { endpoints: [], mesh: meshWith('tcp') })).toEqual([
      ['-p', 'tcp', '--orig-port-dst', '80', '--reply-src', '10.0.0.2', '--state', 'SYN_SENT'],
    ]);
  });
});
