/** Where the host's files are seen from this process: elsewhere when the agent itself runs in a container. */
export interface HostRoots {
  /** The host's procfs, usually /proc. */
  readonly procRoot: string;
  /** The host's sysfs, usually /sys. */
  readonly sysRoot: string;
  /** The host's root directory, usually /. */
  readonly rootfs: string;
}
