/** Where the host's files are seen from this process: elsewhere when the agent itself runs in a container. */
export interface HostRoots {
  /** The host's procfs, usually /proc. */
  readonly procRoot: string;
  /** The host's sysfs, usually /sys. */
  readonly sysRoot: string;
  /** The host's root directory, usually /. */
  readonly rootfs: string;
}

/**
 * Below the host's procfs, the directory of its network's files. The agent's own view is the host's, unless it sees the
 * host's files elsewhere and may have a network of its own.
 */
export function hostNetworkDirectory({ procRoot }: Pick<HostRoots, 'procRoot'>): string {
  return procRoot === '/proc' ? 'self/net' : '1/net';
}
