import { describe, expect, it } from 'vitest';
import {
  type IngressEndpoint,
  type IngressTable,
  renderIngressTable,
} from '../../../../agent/network/ingress-table.ts';

const web: IngressEndpoint = {
  taskId: 'a',
  protocol: 'tcp',
  publishedPort: 80,
  address: '172.17.0.2',
  targetPort: 8080,
};
const docker0 = { device: 'docker0', subnet: '172.17.0.0/16' };

function render(table: Partial<IngressTable>): string {
  return renderIngressTable({ endpoints: [], bridges: [docker0], loopbackDevices: [], ...table });
}

describe('renderIngressTable()', () => {
  it('gives each endpoint of a port its turn', () => {
    const text = render({ endpoints: [web, { ...web, taskId: 'b', address: '172.17.0.3' }] });

    expect(text).toContain('numgen inc mod 2 map { 0 : 172.17.0.2 . 8080, 1 : 172.17.0.3 . 8080 }');
  });

  it('keeps protocols and ports apart', () => {
    const text = render({ endpoints: [web, { ...web, protocol: 'udp' }, { ...web, publishedPort: 81 }] });

    expect(text).toContain('elements = { tcp . 80 : goto tcp_80, tcp . 81 : goto tcp_81, udp . 80 : goto udp_80 }');
  });

  it('gives the same text whatever the order of the endpoints', () => {
    const other = { ...web, taskId: 'b', address: '172.17.0.10' };

    expect(render({ endpoints: [web, other] })).toBe(render({ endpoints: [other, web] }));
  });

  it('leaves a port without endpoints to the host, which refuses the connection', () => {
    expect(render({ endpoints: [] })).not.toContain('dnat');
  });

  it('hides the caller only from loopback and from the same bridge', () => {
    const masquerades = render({ endpoints: [web] })
      .split('\n')
      .filter((line) => line.includes('masquerade'));

    expect(masquerades).toEqual([
      '    ct mark and 16777216 == 16777216 oifname "docker0" ip saddr { 127.0.0.0/8, 172.17.0.0/16 } masquerade',
    ]);
  });

  it('drops what comes for 127.0.0.0/8 through a bridge that may route it', () => {
    const text = render({ loopbackDevices: ['docker0'] });

    expect(text).toContain('elements = { "docker0" }');
    expect(text).toContain('iifname @loopback_devices ip daddr 127.0.0.0/8 drop');
  });
});
