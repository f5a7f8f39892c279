import { describe, expect, it } from 'vitest';
import {
  type IngressEndpoint,
  type IngressTable,
  type MeshPeer,
  renderIngressTable,
} from '../../../../agent/network/ingress-table.ts';

const treatment = { affinity: 'none', masquerade: false } as const;
const web: IngressEndpoint = {
  taskId: 'a',
  protocol: 'tcp',
  publishedPort: 80,
  address: '172.17.0.2',
  targetPort: 8080,
  ...treatment,
};
const docker0 = { device: 'docker0', subnet: '172.17.0.0/16' };
const peer: MeshPeer = {
  nodeId: 'b',
  number: 3,
  address: '10.0.0.2',
  mac: '02:00:00:00:00:02',
  ports: [{ protocol: 'tcp', port: 80, tasks: 2, ...treatment }],
};
const mesh = { nodeId: 'a', address: '10.0.0.1', peers: [peer] };

function render(table: Partial<IngressTable>) {
  const empty = { endpoints: [], leaving: [], bridges: [docker0], loopbackDevices: [], mesh: undefined };
  return renderIngressTable({ ...empty, ...table });
}

function elements(table: Partial<IngressTable>, name: string): string[] {
  return [...(render(table).elements.get(name)?.values() ?? [])].flat();
}

/** How many elements lead to each value. */
function shares(table: Partial<IngressTable>, name: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const element of elements(table, name)) {
    const value = element.split(' : ')[1] ?? '';
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

describe('renderIngressTable()', () => {
  it('shares the slots of a port among its endpoints', () => {
    const endpoints = [web, { ...web, taskId: 'b', address: '172.17.0.3' }];

    expect(shares({ endpoints }, 'tasks')).toEqual({ '172.17.0.2 . 8080': 32, '172.17.0.3 . 8080': 32 });
    expect(elements({ endpoints }, 'published')).toEqual(['tcp . 80 : goto local']);
  });

  it('keeps protocols and ports apart', () => {
    const endpoints = [web, { ...web, protocol: 'udp' as const }, { ...web, publishedPort: 81 }];

    expect(elements({ endpoints }, 'published')).toEqual([
      'tcp . 80 : goto local',
      'tcp . 81 : goto local',
      'udp . 80 : goto local',
    ]);
  });

  it('gives the same elements whatever the order of the endpoints', () => {
    const other = { ...web, taskId: 'b', address: '172.17.0.10' };

    expect(elements({ endpoints: [web, other] }, 'tasks')).toEqual(elements({ endpoints: [other, web] }, 'tasks'));
  });

  it('leaves a port without endpoints to the host, which refuses the connection', () => {
    expect(elements({}, 'published')).toEqual([]);
  });

  it('spreads a port over the nodes by their tasks, and comes to the same slots on each of them', () => {
    const here = { endpoints: [web], mesh };
    const there = {
      endpoints: [web, { ...web, taskId: 'b', address: '172.17.0.3' }],
      mesh: {
        nodeId: 'b',
        address: '10.0.0.2',
        peers: [
          { ...peer, nodeId: 'a', number: 7, ports: [{ protocol: 'tcp' as const, port: 80, tasks: 1, ...treatment }] },
        ],
      },
    };
    const ofNodeA = (table: Partial<IngressTable>, verdict: string) =>
      elements(table, 'nodes').flatMap((element) => (element.endsWith(verdict) ? [element.split(' : ')[0]] : []));

    expect(shares(here, 'nodes')).toEqual({ 'goto local': 21, 'goto to_3': 43 });
    expect(elements(here, 'published')).toEqual(['tcp . 80 : goto spread']);
    expect(ofNodeA(here, 'goto local')).toEqual(ofNodeA(there, 'goto to_7'));
  });

  it('takes what other nodes send, and sends a task that leaves only what nobody else here could take', () => {
    const leaving = [{ ...web, taskId: 'b', address: '172.17.0.3' }];

    expect(shares({ endpoints: [web], leaving, mesh }, 'tasks')).toEqual({ '172.17.0.2 . 8080': 64 });
    expect(shares({ leaving, mesh }, 'tasks')).toEqual({ '172.17.0.3 . 8080': 64 });
    expect(elements({ leaving, mesh }, 'arrivals')).toEqual(['tcp . 80 : goto local']);
    expect(shares({ leaving, mesh }, 'nodes')).toEqual({ 'goto to_3': 64 });
  });

  it('chooses by the client’s address, or hides it, where the service wants that, on whatever node its tasks are', () => {
    const affine = {
      ...peer,
      ports: [{ protocol: 'tcp' as const, port: 80, tasks: 1, ...treatment, affinity: 'client-ip' as const }],
    };
    const masked = { ...web, masquerade: true };

    expect(elements({ endpoints: [web], mesh: { ...mesh, peers: [affine] } }, 'published')).toEqual([
      'tcp . 80 : goto spread_affine',
    ]);
    expect(elements({ endpoints: [masked] }, 'published')).toEqual(['tcp . 80 : goto masked_local']);
  });

  it('changes nothing but elements when tasks come and go', () => {
    expect(render({ endpoints: [web], mesh }).frame).toBe(render({ leaving: [web], mesh }).frame);
  });

  it('hides the caller only from loopback and from the same bridge', () => {
    const masquerades = render({ endpoints: [web] })
      .frame.split('\n')
      .filter((line) => line.includes('ip saddr') && line.includes('masquerade'));

    expect(masquerades).toEqual(['oifname "docker0" ip saddr { 127.0.0.0/8, 172.17.0.0/16 } masquerade']);
  });

  it('drops what comes for 127.0.0.0/8 through a bridge that may route it', () => {
    expect(elements({ loopbackDevices: ['docker0'] }, 'loopback_devices')).toEqual(['"docker0"']);
    expect(render({}).frame).toContain('ip daddr 127.0.0.0/8 iifname @loopback_devices drop');
  });
});
