/** How packets between nodes are wrapped: both ends of the arithmetic of sizes know it. */

/** Outer Ethernet, IP, UDP and VXLAN headers. */
export const VXLAN_OVERHEAD_BYTES = 50;
/** Outer IPv4 and UDP headers, and WireGuard's own with its tag. */
export const WIREGUARD_OVERHEAD_BYTES = 60;
