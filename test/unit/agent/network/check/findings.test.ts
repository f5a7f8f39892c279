import { describe, expect, test } from 'vitest';
import { dropsOfTunnel, tunnelFindings } from '../../../../../agent/network/check/host-check.ts';
import { mapTargets, targetFindings } from '../../../../../agent/network/check/path-check.ts';

const peer = { address: '192.0.2.2', mac: '02:00:00:00:00:02', subnets: ['10.200.1.0/26'] };
const part = { localAddress: '192.0.2.1', mac: '02:00:00:00:00:01', peers: [peer] };
const data = { id: 4_242, port: 4_789, local: part.localAddress, learning: false };
const whole = {
  link: JSON.stringify([{ address: part.mac, mtu: 1_450, flags: ['UP'], linkinfo: { info_data: data } }]),
  routes: JSON.stringify([{ dst: '10.200.1.0/26', gateway: peer.address }]),
  neighbours: JSON.stringify([{ dst: peer.address, lladdr: peer.mac }]),
  forwarding: JSON.stringify([{ mac: peer.mac, dst: peer.address }]),
};
const bad = (findings: readonly { readonly step: string; readonly ok: boolean }[]) =>
  findings.filter(({ ok }) => !ok).map(({ step }) => step);

describe('what is found of the tunnel', () => {
  test.each([
    ['all of it', whole, []],
    ['no neighbour', { ...whole, neighbours: '' }, ['neighbour']],
    ['no forwarding entry', { ...whole, forwarding: '' }, ['neighbour']],
    ['no route', { ...whole, routes: '' }, ['route']],
    ['no device', { link: undefined, routes: '', neighbours: '', forwarding: '' }, ['tunnel']],
    // Other nodes' entries are none of the question.
    ['more than is asked for', { ...whole, routes: whole.routes.replace(']', ',{"dst":"10.200.9.0/26"}]') }, []],
  ])('%s', (_what, listing, expected) => {
    expect(bad(tunnelFindings(part, listing))).toEqual(expected);
  });
});

describe('what a ready task answers', () => {
  const api = { endpoint: { serviceName: 'api', slot: 1, address: '10.200.1.2' }, peerId: 'other' };
  const outcome = { tcp: 'open', small: 'ECONNREFUSED', large: 'ECONNREFUSED', largeBytes: 1_422 };

  test.each([
    ['all', {}, []],
    ['nobody listens', { tcp: 'ECONNREFUSED' }, ['reply']],
    ['the program hangs', { tcp: 'timeout' }, ['reply']],
    ['nothing arrives', { tcp: 'timeout', small: 'timeout', large: 'timeout' }, ['tunnel']],
    ['large packets are lost', { large: 'timeout' }, ['mtu']],
    // Its own firewall may drop datagrams nobody asked for.
    ['only the port answers', { small: 'timeout', large: 'timeout' }, []],
  ])('%s', (_what, change, expected) => {
    expect(bad(targetFindings(api, 80, { ...outcome, ...change }))).toEqual(expected);
  });

  test('on the same host it is a firewall, no tunnel', () => {
    const lost = { ...outcome, tcp: 'timeout', small: 'timeout', large: 'timeout' };
    expect(bad(targetFindings({ ...api, peerId: undefined }, 80, lost))).toEqual(['firewall']);
  });
});

test('where the kernel leads a virtual address is read from its own listing', () => {
  const listing = `table ip plimsoll_overlay {
	map backends {
		typeof ip daddr . numgen random mod 64 : ip daddr
		elements = { 10.208.0.1 . 0 : 10.200.0.2, 10.208.0.1 . 1 : 10.200.0.3,
			     10.208.0.11 . 0x00000000 : 10.200.0.4 }
	}
}`;
  expect([...mapTargets(listing, '10.208.0.1')]).toEqual(['10.200.0.2', '10.200.0.3']);
  expect([...mapTargets(listing, '10.208.0.11')]).toEqual(['10.200.0.4']);
  expect([...mapTargets(listing, '10.208.0.2')]).toEqual([]);
});

test('rules that drop what goes between hosts are named with their table', () => {
  const ruleset = `table ip filter {
	chain INPUT {
		udp dport 4789 accept
	}
}
table inet firewalld {
	chain in {
		udp dport 4789 counter packets 3 bytes 420 drop
		tcp dport 22 drop
	}
}`;
  expect(dropsOfTunnel(ruleset)).toEqual([
    { table: 'inet firewalld', rule: 'udp dport 4789 counter packets 3 bytes 420 drop' },
  ]);
});
