/** `plim net check`: the way from a task to a name and port, looked at step by step, and what breaks it. */
import { z } from 'zod';
import { Id } from './record-format.ts';

/** In the order a packet meets them. */
export const checkSteps = [
  'task',
  'name',
  'address',
  'map',
  'firewall',
  'route',
  'neighbour',
  'tunnel',
  'mtu',
  'reply',
] as const;

export const CheckFinding = z.object({
  step: z.enum(checkSteps),
  ok: z.boolean(),
  /** What was found, with the values. */
  says: z.string(),
  /** What to do about it; absent where nothing is wrong. */
  advice: z.string().optional(),
});
export type CheckFinding = z.infer<typeof CheckFinding>;

/** Asked of the agent on whose host the way begins: `plim.rpc.<node>.check-path`. */
export const PathCheckRequest = z.object({
  taskId: Id,
  /** A name as a container would ask for it, or an address. */
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
});
export type PathCheckRequest = z.infer<typeof PathCheckRequest>;

export const PathCheckReply = z.object({
  findings: z.array(CheckFinding),
  /** Other nodes the way leads to. */
  peers: z.array(Id),
});
export type PathCheckReply = z.infer<typeof PathCheckReply>;

/** Asked of any agent, about its own host and the ways to these nodes: `plim.rpc.<node>.check-host`. */
export const HostCheckRequest = z.object({
  /** Absent = all nodes it shares a network with. */
  peers: z.array(Id).optional(),
});
export type HostCheckRequest = z.infer<typeof HostCheckRequest>;

export const HostCheckReply = z.object({ findings: z.array(CheckFinding) });
export type HostCheckReply = z.infer<typeof HostCheckReply>;

/** `GET /v1/network/check` */
export const NetworkCheck = z.object({
  ok: z.boolean(),
  findings: z.array(CheckFinding.extend({ node: z.string() })),
});
export type NetworkCheck = z.infer<typeof NetworkCheck>;
