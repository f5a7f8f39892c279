/** `plim.rpc.<node>.held-ports`: which of these ports programs of the host wait on, containers of the cluster left out. */
import { z } from 'zod';

const HostPort = z.object({ protocol: z.enum(['tcp', 'udp', 'sctp']), port: z.int().min(1).max(65_535) });
export type HostPortNumber = z.infer<typeof HostPort>;

export const HeldPortsRequest = z.object({ ports: z.array(HostPort).max(1_000) });
export const HeldPortsReply = z.object({ held: z.array(HostPort) });
