import { describe, expect, it } from 'vitest';
import { portsWithoutHairpin } from '../../../../agent/network/hairpin.ts';

describe('portsWithoutHairpin()', () => {
  it('names the bridge ports that lack it', () => {
    const listing = JSON.stringify([
      { ifname: 'veth1', linkinfo: { info_slave_kind: 'bridge', info_slave_data: { hairpin: false } } },
      { ifname: 'veth2', linkinfo: { info_slave_kind: 'bridge', info_slave_data: { hairpin: true } } },
    ]);

    expect(portsWithoutHairpin(listing)).toEqual(['veth1']);
  });

  it('takes no output for a bridge without ports', () => {
    expect(portsWithoutHairpin('')).toEqual([]);
  });
});
