/** Names of block devices by number, from /proc/diskstats. */
import type { DeviceName } from './cgroup-io.ts';
import { blockDevices } from './kernel-text.ts';

/** `/dev/nvme0n1` for `259:0`, as cAdvisor shows it. The list is read again for a number not seen before. */
export function createDeviceNames(readDiskstats: () => string | undefined): DeviceName {
  let names = new Map<string, string>();
  return (majorMinor) => {
    if (!names.has(majorMinor)) names = namesIn(readDiskstats());
    const name = names.get(majorMinor) ?? majorMinor;
    names.set(majorMinor, name);
    return name;
  };
}

function namesIn(diskstats: string | undefined): Map<string, string> {
  return new Map(blockDevices(diskstats).map(({ majorMinor, device }) => [majorMinor, `/dev/${device}`]));
}
