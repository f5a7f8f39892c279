import { describe, expect, it } from 'vitest';
import { networksOf, parseConnectedNetworks } from '../../../../agent/network/bridge-networks.ts';

const procNetRoute = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'eth0\t00000000\tFE01630A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'eth0\t0001630A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  'br-small\t000111AC\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0',
  '',
].join('\n');

describe('parseConnectedNetworks()', () => {
  it('reads the networks that need no gateway', () => {
    expect(parseConnectedNetworks(procNetRoute)).toEqual([
      { device: 'eth0', subnet: '10.99.1.0/24' },
      { device: 'docker0', subnet: '172.17.0.0/16' },
      { device: 'br-small', subnet: '172.17.1.0/26' },
    ]);
  });
});

describe('networksOf()', () => {
  const connected = parseConnectedNetworks(procNetRoute);

  it('finds the bridge of each address once', () => {
    expect(networksOf(['172.17.0.2', '172.17.0.3'], connected).map((network) => network.device)).toEqual(['docker0']);
  });

  it('prefers the longer prefix', () => {
    expect(networksOf(['172.17.1.5'], connected).map((network) => network.device)).toEqual(['br-small']);
  });

  it('leaves out addresses that hang on no bridge of this host', () => {
    expect(networksOf(['192.0.2.1'], connected)).toEqual([]);
  });
});
