/** What the kernel calls the parts of encrypted networks on a host. */

export const WIREGUARD_DEVICE = 'plim-wg';
/** UDP, on every node; WireGuard's usual 51820 stays free for the host's own devices. */
export const WIREGUARD_PORT = 51_829;
