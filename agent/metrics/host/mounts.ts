/** The mounted file systems that are worth measuring. Format: proc_pid_mountinfo(5). Pure. */

export interface Mount {
  readonly device: string;
  /** As the host sees it. */
  readonly mountPoint: string;
  readonly fsType: string;
  readonly readOnly: boolean;
  /** Asking for its size may take for ever: its server may be gone. */
  readonly mayHang: boolean;
}

/** What node_exporter leaves out unless told otherwise. */
const ignoredMountPoint =
  /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
const ignoredType =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$/;
/** These answer from memory. Of the others some ask a server, and some wait for a device that may be dead. */
const neverHangs = /^(ext[234]|tmpfs|ramfs|vfat|devtmpfs|rootfs)$/;

/** Each once, although the kernel lists a mount point again for whatever was mounted over it. */
export function measuredMounts(mountinfo: string): Mount[] {
  const mounts = mountinfo.split('\n').flatMap(parseMount);
  const hangable = mounts.filter(({ mountPoint, fsType }) => mountPoint !== '/' && !neverHangs.test(fsType));
  const seen = new Set<string>();
  return mounts.flatMap((mount) => {
    const key = `${mount.device}\n${mount.mountPoint}\n${mount.fsType}`;
    if (ignoredMountPoint.test(mount.mountPoint) || ignoredType.test(mount.fsType) || seen.has(key)) return [];
    seen.add(key);
    const lies = (above: string) => mount.mountPoint === above || mount.mountPoint.startsWith(`${above}/`);
    const mayHang = !neverHangs.test(mount.fsType) || hangable.some(({ mountPoint }) => lies(mountPoint));
    return [{ ...mount, mayHang }];
  });
}

function parseMount(line: string): Omit<Mount, 'mayHang'>[] {
  const [own = '', fileSystem] = line.split(' - ');
  const [, , , , mountPoint, options = ''] = own.split(' ');
  const [fsType, device, superOptions = ''] = (fileSystem ?? '').split(' ');
  if (mountPoint === undefined || fsType === undefined || device === undefined) return [];
  const readOnly = [options, superOptions].some((list) => list.split(',').includes('ro'));
  return [{ device: unescape(device), mountPoint: unescape(mountPoint), fsType, readOnly }];
}

/** Blanks and backslashes come as `\040`. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}
