/** Names of block devices by number, from /proc/diskstats. */
import type { DeviceName } from './cgroup-io.ts';

/** `/dev/nvme0n1` for `259:0`, as cAdvisor shows it. The list is read again for a number not seen before. */
export function createDeviceNames(readDiskstats: () => string | undefined): DeviceName {
  let names = new Map<string, string>();
  return (majorMinor) => {
    if (!names.has(majorMinor)) names = namesIn(readDiskstats() ?? '');
    const name = names.get(majorMinor) ?? majorMinor;
    names.set(majorMinor, name);
    return name;
  };
}

/** Lines of `major minor name …`. */
function namesIn(diskstats: string): Map<string, string> {
  return new Map(
    diskstats.split('\n').flatMap((line) => {
      const [major, minor, name] = line.trim().split(/\s+/);
      return name === undefined ? [] : [[`${major}:${minor}`, `/dev/${name}`] as const];
    }),
  );
}
