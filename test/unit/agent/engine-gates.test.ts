import { describe, expect, it } from 'vitest';
import { refuseBeyondEngine } from '../../../agent/engine-gates.ts';
import type { ContainerSpec, Mount } from '../../../model/service-spec.ts';

const mount = (options: Partial<Mount>): ContainerSpec => ({
  Image: 'a:1',
  Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', ...options }],
});

describe('refuseBeyondEngine()', () => {
  it.each<[string, ContainerSpec, string, string]>([
    ['1.41', { Image: 'a:1', Healthcheck: { StartInterval: 1e9 } }, 'Healthcheck.StartInterval', '1.44'],
    ['1.41', mount({ Type: 'bind', BindOptions: { CreateMountpoint: true } }), 'CreateMountpoint', '1.42'],
    ['1.43', mount({ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: true } }), 'ReadOnlyForceRecursive', '1.44'],
    ['1.44', mount({ VolumeOptions: { Subpath: 'x' } }), 'Subpath', '1.45'],
    ['1.45', mount({ Type: 'tmpfs', TmpfsOptions: { Options: [['exec']] } }), 'TmpfsOptions.Options', '1.46'],
  ])('on an engine of API %s refuses %j naming %s and %s', (apiVersion, spec, field, since) => {
    expect(() => refuseBeyondEngine(spec, apiVersion)).toThrow(new RegExp(`${field}.*${since}.*${apiVersion}`));
    expect(() => refuseBeyondEngine(spec, '1.51')).not.toThrow();
  });

  it('accepts what every engine knows', () => {
    const spec = { ...mount({ VolumeOptions: { NoCopy: true } }), Healthcheck: { Interval: 1e9 } };

    expect(() => refuseBeyondEngine(spec, '1.41')).not.toThrow();
  });
});
