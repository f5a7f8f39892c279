/** Which nodes can carry encrypted networks. */

/** What to do about a node that cannot. */
export const WIREGUARD_ADVICE =
  'install wireguard-tools there, and wireguard-go where the kernel has no WireGuard, and start its agent again';
