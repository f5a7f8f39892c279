import { expect, test } from 'vitest';
import { mountsBelow } from '../../../../cli/host/take-down.ts';

test('mountsBelow() finds mounts at and below a directory, the later ones first, and no others', () => {
  const line = (id: number, point: string) => `${id} 1 0:1 / ${point} rw,relatime - ext4 /dev/vda rw`;
  const mountinfo = [
    line(20, '/'),
    line(21, '/var/lib/plimsoll/engine/docker'),
    line(22, '/var/lib/plimsoll/engine/docker/overlay2/a/merged'),
    line(23, '/var/lib/plimsoll-lab/h1'),
    '',
  ].join('\n');

  expect(mountsBelow(mountinfo, '/var/lib/plimsoll')).toEqual([
    '/var/lib/plimsoll/engine/docker/overlay2/a/merged',
    '/var/lib/plimsoll/engine/docker',
  ]);
});
