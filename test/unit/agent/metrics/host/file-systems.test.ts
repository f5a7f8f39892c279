import { beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../../../../agent/metrics/host/family.ts';
import { type FileSystemSize, FileSystems } from '../../../../../agent/metrics/host/file-systems.ts';
import { measuredMounts } from '../../../../../agent/metrics/host/mounts.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const line = (mountPoint: string, fsType: string, device = '/dev/sda1', options = 'rw,relatime', superOptions = 'rw') =>
  `36 35 98:0 / ${mountPoint} ${options} master:1 - ${fsType} ${device} ${superOptions}`;
const size: FileSystemSize = { bsize: 4096, blocks: 100, bfree: 40, bavail: 30, files: 1000, ffree: 900 };

describe('measuredMounts()', () => {
  it.each([
    ['/sys/fs/cgroup', 'tmpfs'],
    ['/proc/sys/fs/binfmt_misc', 'ext4'],
    ['/var/lib/docker/overlay2/abc/merged', 'ext4'],
    ['/run/credentials/systemd-sysctl.service', 'ramfs'],
    ['/data', 'overlay'],
    ['/run/netns/x', 'nsfs'],
  ])('leaves out %s of type %s, as node_exporter does', (mountPoint, fsType) => {
    expect(measuredMounts(line(mountPoint, fsType))).toEqual([]);
  });

  it('takes each once, and reads octal escapes', () => {
    const mounts = measuredMounts([line('/my\\040disk', 'ext4'), line('/my\\040disk', 'ext4'), ''].join('\n'));
    expect(mounts.map(({ mountPoint }) => mountPoint)).toEqual(['/my disk']);
  });

  it('sees read-only of the mount and of the file system', () => {
    const text = [
      line('/a', 'ext4', '/dev/a', 'ro,relatime'),
      line('/b', 'ext4', '/dev/b', 'rw', 'ro,errors=continue'),
      line('/c', 'ext4', '/dev/c', 'rw,rootcontext=ro'),
    ];
    expect(measuredMounts(text.join('\n')).map(({ readOnly }) => readOnly)).toEqual([true, true, false]);
  });

  it('suspects servers, unknown types, and what lies on a suspect', () => {
    const text = [
      line('/', 'ext4'),
      line('/nfs', 'nfs4', 'server:/export'),
      line('/nfs/inner', 'tmpfs', 'tmpfs'),
      line('/nfs2', 'ext4'),
      line('/pool', 'zfs', 'pool'),
    ];
    expect(measuredMounts(text.join('\n')).map(({ mountPoint, mayHang }) => [mountPoint, mayHang])).toEqual([
      ['/', false],
      ['/nfs', true],
      ['/nfs/inner', true],
      ['/nfs2', false],
      ['/pool', true],
    ]);
  });
});

describe('FileSystems', () => {
  const clock = new FakeClock();
  let asked: string[];
  let answers: Map<string, (size: FileSystemSize) => void>;
  let fileSystems: FileSystems;

  beforeEach(() => {
    asked = [];
    answers = new Map();
    fileSystems = new FileSystems({
      clock,
      rootfs: '/host',
      statfsNow: (path) => {
        asked.push(path);
        if (path.endsWith('/gone')) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return size;
      },
      statfsLater: (path) => {
        asked.push(path);
        return path.includes('hung') ? new Promise((resolve) => answers.set(path, resolve)) : Promise.resolve(size);
      },
    });
  });

  const labels = (mountPoint: string, fsType: string, device: string) =>
    `device="${device}",fstype="${fsType}",mountpoint="${mountPoint}"`;
  const samples = (families: readonly Family[], name: string) =>
    families.find((family) => family.name === name)?.samples;

  it('tells sizes in bytes and asks below the root directory of the host', async () => {
    const families = await fileSystems.families(line('/data', 'ext4'));
    const of = labels('/data', 'ext4', '/dev/sda1');
    expect(asked).toEqual(['/host/data']);
    expect(families.map(({ name, samples }) => [name, samples])).toEqual([
      ['node_filesystem_size_bytes', [[of, 409_600]]],
      ['node_filesystem_free_bytes', [[of, 163_840]]],
      ['node_filesystem_avail_bytes', [[of, 122_880]]],
      ['node_filesystem_files', [[of, 1000]]],
      ['node_filesystem_files_free', [[of, 900]]],
      ['node_filesystem_readonly', [[of, 0]]],
      ['node_filesystem_device_error', [[of, 0]]],
    ]);
  });

  it('tells of one that cannot be asked, and gives no size for it', async () => {
    const families = await fileSystems.families(line('/gone', 'ext4'));
    const error = `${labels('/gone', 'ext4', '/dev/sda1')},device_error="ENOENT"`;
    expect(samples(families, 'node_filesystem_device_error')).toEqual([[error, 1]]);
    expect(samples(families, 'node_filesystem_size_bytes')).toEqual([]);
  });

  it('waits for a hung mount once, and not at all the next time', async () => {
    const mounts = [line('/', 'ext4'), line('/hung', 'nfs', 'server:/a'), line('/well', 'nfs', 'server:/b')].join('\n');
    const first = fileSystems.families(mounts);
    await clock.advance(500);
    const hung = `${labels('/hung', 'nfs', 'server:/a')},device_error=`;
    expect(samples(await first, 'node_filesystem_device_error')).toEqual([
      [labels('/', 'ext4', '/dev/sda1'), 0],
      [`${hung}"timeout"`, 1],
      [labels('/well', 'nfs', 'server:/b'), 0],
    ]);

    asked = [];
    const again = await fileSystems.families(mounts);
    expect(asked).toEqual(['/host/', '/host/well']);
    expect(samples(again, 'node_filesystem_device_error')?.[1]).toEqual([`${hung}"mountpoint timeout"`, 1]);
  });

  it('asks a mount again that came back', async () => {
    const mounts = line('/hung', 'nfs', 'server:/a');
    const first = fileSystems.families(mounts);
    await clock.advance(500);
    await first;
    answers.get('/host/hung')?.(size);
    await clock.advance(0);

    asked = [];
    const again = fileSystems.families(mounts);
    answers.get('/host/hung')?.(size);
    expect(samples(await again, 'node_filesystem_size_bytes')).toHaveLength(1);
    expect(asked).toEqual(['/host/hung']);
  });

  it('never has more than two waiting, so that threads are left for other work', async () => {
    const names = ['hung1', 'hung2', 'hung3', 'hung4'];
    const mounts = names.map((name) => line(`/${name}`, 'nfs', `server:/${name}`)).join('\n');
    const first = fileSystems.families(mounts);
    await clock.advance(500);
    expect(samples(await first, 'node_filesystem_device_error')?.map(([, value]) => value)).toEqual([1, 1, 1, 1]);
    expect(asked).toEqual(['/host/hung1', '/host/hung2']);
    await fileSystems.families(mounts);
    expect(asked).toHaveLength(2);
  });
});
