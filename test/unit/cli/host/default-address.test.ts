import { describe, expect, it } from 'vitest';
import { defaultRouteInterface } from '../../../../cli/host/default-address.ts';

const heading = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
const route = (name: string, destination: string, metric: number, mask: string) =>
  [name, destination, '010200C0', '0003', '0', '0', String(metric), mask, '0', '0', '0'].join('\t');

describe('defaultRouteInterface()', () => {
  it('is the interface of the default route with the lowest metric', () => {
    const routes = [
      heading,
      route('docker0', '0000A8C0', 0, '0000FFFF'),
      route('wlan0', '00000000', 600, '00000000'),
      route('eth0', '00000000', 100, '00000000'),
    ].join('\n');

    expect(defaultRouteInterface(routes)).toBe('eth0');
  });

  it('is nothing where there is no default route', () => {
    expect(defaultRouteInterface([heading, route('eth0', '0000A8C0', 0, '0000FFFF')].join('\n'))).toBeUndefined();
  });

  it('does not take the half of the address space for a default route', () => {
    expect(defaultRouteInterface([heading, route('tun0', '00000000', 0, '00000080')].join('\n'))).toBeUndefined();
  });
});
