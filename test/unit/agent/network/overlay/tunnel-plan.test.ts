import { describe, expect, test } from 'vitest';
import { planTunnel, type TunnelListing, type TunnelWish } from '../../../../../agent/network/overlay/tunnel-plan.ts';

const peer = { address: '192.0.2.2', mac: '02:00:00:00:00:02', subnets: ['10.200.1.0/26'] };
const wish: TunnelWish = { localAddress: '192.0.2.1', mac: '02:00:00:00:00:01', mtuBytes: 1_450, peers: [peer] };

/** What iproute2 lists of a tunnel that is as wished, but for its MTU. */
function listing(mtu: number): TunnelListing {
  const data = { id: 4_242, port: 4_789, local: wish.localAddress, learning: false };
  return {
    link: JSON.stringify([{ address: wish.mac, mtu, flags: ['UP'], linkinfo: { info_data: data } }]),
    routes: JSON.stringify([{ dst: '10.200.1.0/26', gateway: peer.address }]),
    neighbours: JSON.stringify([{ dst: peer.address, lladdr: peer.mac }]),
    forwarding: JSON.stringify([{ mac: peer.mac, dst: peer.address }]),
  };
}

describe('planTunnel()', () => {
  test('leaves alone what is as it should be', () => {
    expect(planTunnel(wish, listing(1_450))).toEqual({ ip: [], bridge: [] });
  });

  test('changes the size of packets without making the device anew: no route and no connection is lost', () => {
    expect(planTunnel({ ...wish, mtuBytes: 1_350 }, listing(1_450))).toEqual({
      ip: ['link set dev plimsoll-vx mtu 1350'],
      bridge: [],
    });
  });

  test('makes a device with another address anew, with all its entries', () => {
    const change = planTunnel({ ...wish, localAddress: '192.0.2.9' }, listing(1_450));
    expect(change.ip[0]).toBe('link delete dev plimsoll-vx');
    expect(change.ip.join('\n')).toContain('route replace 10.200.1.0/26 via 192.0.2.2');
    expect(change.bridge).toHaveLength(1);
  });
});
