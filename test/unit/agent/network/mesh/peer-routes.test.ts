import { describe, expect, it } from 'vitest';
import { planPeerRoutes } from '../../../../../agent/network/mesh/peer-routes.ts';

const peer = { address: '10.0.0.2', number: 7 };
const others = '{"priority":0,"src":"all","table":"local"},{"priority":100,"src":"all","fwmark":"0x1","table":"100"}';
const rule = '{"priority":4242,"src":"all","fwmark":"0x1007000","fwmask":"0x1fff000","table":"4242007"}';
const route = '{"dst":"default","gateway":"10.0.0.2","table":"4242007","flags":["onlink"]}';
const range = '{"dst":"10.200.0.0/26","gateway":"10.0.0.2","flags":["onlink"]}';

describe('planPeerRoutes()', () => {
  it('makes the route before the rule that leads to it', () => {
    expect(planPeerRoutes([peer], { rules: `[${others}]`, routes: '' })).toEqual([
      'address replace 169.254.42.42/32 dev plimsoll-vx scope host',
      'route replace default via 10.0.0.2 dev plimsoll-vx onlink table 4242007',
      'rule add priority 4242 fwmark 0x1007000/0x1fff000 lookup 4242007',
    ]);
  });

  it('has nothing to do for what is there', () => {
    expect(planPeerRoutes([peer], { rules: `[${others},${rule}]`, routes: `[${route},${range}]` })).toEqual([]);
  });

  it('leaves a rule of another program alone, though its priority be the same', () => {
    const foreign =
      '{"priority":4242,"src":"all","table":"7"},{"priority":4242,"src":"all","fwmark":"0xca6c","table":"8"}';

    expect(planPeerRoutes([], { rules: `[${foreign}]`, routes: '' })).toEqual([]);
  });

  it('leads to a node where it is now', () => {
    const moved = { ...peer, address: '10.0.0.9' };

    expect(planPeerRoutes([moved], { rules: `[${rule}]`, routes: `[${route}]` })).toContain(
      'route replace default via 10.0.0.9 dev plimsoll-vx onlink table 4242007',
    );
  });

  it('takes away what leads to nobody any more, and nothing of others', () => {
    expect(planPeerRoutes([], { rules: `[${others},${rule}]`, routes: `[${route},${range}]` })).toEqual([
      'rule delete priority 4242 fwmark 0x1007000/0x1fff000',
      'route flush table 4242007',
    ]);
  });
});
