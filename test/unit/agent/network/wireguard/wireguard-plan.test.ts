import { describe, expect, it } from 'vitest';
import {
  planWireguard,
  type WireguardWish,
  wireguardSettings,
} from '../../../../../agent/network/wireguard/wireguard-plan.ts';

const peer = {
  address: '10.0.0.2',
  publicKey: 'key2',
  subnets: ['10.200.2.0/26'],
  allSubnets: ['10.200.2.0/26', '10.200.3.0/26'],
};
const wish: WireguardWish = { ownSubnets: ['10.200.0.0/26'], peers: [peer], mtuBytes: 1_420 };
const nothing = { routes: '', rules: '[]' };
const device = ['link set dev plim-wg mtu 1420 up', 'address replace 169.254.42.43/32 dev plim-wg scope host'];
const asWished = {
  routes: JSON.stringify([
    { dst: '10.200.2.0/26' },
    { dst: '10.200.2.0/26', table: '4243' },
    { dst: '10.200.3.0/26', table: 4243 },
    { dst: '169.254.42.43', table: 'local' },
  ]),
  rules: JSON.stringify([
    { priority: 0, src: 'all' },
    { priority: 4_243, src: '10.200.0.0', srclen: 26 },
  ]),
};

describe('planWireguard', () => {
  it('makes device, routes and the rule for what its own addresses send', () => {
    expect(planWireguard(wish, nothing)).toEqual({
      add: [
        ...device,
        'route replace 10.200.2.0/26 dev plim-wg table main',
        'route replace 10.200.2.0/26 dev plim-wg table 4243',
        'route replace 10.200.3.0/26 dev plim-wg table 4243',
        'rule add priority 4243 from 10.200.0.0/26 lookup 4243',
      ],
      remove: [],
    });
  });

  it('changes nothing where the kernel has all of it, and leaves what the kernel added', () => {
    expect(planWireguard(wish, asWished)).toEqual({ add: device, remove: [] });
  });

  it('takes away what nobody wishes: rules first, so that nothing falls back to another way while routes go', () => {
    expect(planWireguard(undefined, asWished)).toEqual({
      add: [],
      remove: [
        'rule delete priority 4243 from 10.200.0.0/26 lookup 4243',
        'route delete 10.200.2.0/26 dev plim-wg table main',
        'route delete 10.200.2.0/26 dev plim-wg table 4243',
        'route delete 10.200.3.0/26 dev plim-wg table 4243',
      ],
    });
  });

  it('refuses a reply that is no list of routes', () => {
    expect(() => planWireguard(wish, { ...nothing, routes: '[{"to":"10.0.0.0/8"}]' })).toThrow(/dst/);
  });
});

it('settings tell where a peer is and all ranges it may send from', () => {
  expect(wireguardSettings('own', [peer])).toBe(`[Interface]
PrivateKey = own
ListenPort = 51829

[Peer]
PublicKey = key2
Endpoint = 10.0.0.2:51829
AllowedIPs = 10.200.2.0/26, 10.200.3.0/26
`);
});
