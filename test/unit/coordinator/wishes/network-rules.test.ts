import { describe, expect, it } from 'vitest';
import {
  checkNetworkWish,
  type NetworkWish,
  refuseUnencryptable,
} from '../../../../coordinator/wishes/network-rules.ts';

const wish = (options: Record<string, string>): NetworkWish => ({
  name: 'vault',
  labels: {},
  options,
  internal: false,
  attachable: false,
  subnet: undefined,
});
const able = { wireguardKey: 'a key' };
const unable = {};

describe('the option encrypted', () => {
  it.each(['', 'true'])('is taken with %j', (value) => {
    expect(() => checkNetworkWish(wish({ encrypted: value }))).not.toThrow();
  });

  it.each(['false', '1', 'aes'])('is refused with %j', (value) => {
    const sentence = `Options.encrypted: "${value}" is neither "true" nor nothing`;
    expect(() => checkNetworkWish(wish({ encrypted: value }))).toThrow(sentence);
  });

  it('is refused by name where no node has WireGuard, with what to do', () => {
    const refusal = /none of 2 nodes has WireGuard \(on a node: install wireguard-tools.*\(Options\.encrypted\)$/;
    expect(() => refuseUnencryptable(wish({ encrypted: '' }), [unable, unable])).toThrow(refusal);
    expect(() => refuseUnencryptable(wish({ encrypted: '' }), [unable])).toThrow(/none of 1 node has/);
  });

  it('is taken where one node has WireGuard; networks in clear ask no node', () => {
    expect(() => refuseUnencryptable(wish({ encrypted: '' }), [unable, able])).not.toThrow();
    expect(() => refuseUnencryptable(wish({}), [unable])).not.toThrow();
  });
});
