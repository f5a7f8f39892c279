import { expect, it } from 'vitest';
import { upperDirectory } from '../../../../agent/metrics/upper-directory.ts';

const proc = '32 31 0:29 / /proc rw,nosuid - proc proc rw';
const volume = '34 31 0:30 / /data rw - overlay overlay rw,lowerdir=/l,upperdir=/another,workdir=/w';

it('finds the writable layer of the root among the other mounts', () => {
  const root =
    '31 30 0:28 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/var/lib/a\\040b/fs,workdir=/w';

  expect(upperDirectory([root, proc, volume, ''].join('\n'))).toBe('/var/lib/a b/fs');
});

it('answers nothing for a root that is no overlay, has nothing to write to, or is not told', () => {
  expect(upperDirectory('31 30 8:1 / / rw - ext4 /dev/sda1 rw,upperdir=/no')).toBeUndefined();
  expect(upperDirectory('31 30 0:28 / / ro - overlay overlay ro,lowerdir=/l1:/l2')).toBeUndefined();
  expect(upperDirectory('')).toBeUndefined();
});
