/** A node, as the operator wishes it (plim_spec) and as its agent finds it (plim_node). */
import { z } from 'zod';
import { GenericResource } from './generic-resources.ts';
import { Hostname } from './hostname.ts';
import { FormatVersion, Id, TimeMs } from './record-format.ts';

/** `node.<id>`: what the operator wishes of a node. */
export const NodeSpecRecord = z.object({
  v: FormatVersion,
  id: Id,
  name: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  role: z.enum(['worker', 'manager']),
  availability: z.enum(['active', 'pause', 'drain']),
  /** The node's public nkey, set when it joined. */
  publicKey: z.string(),
  createdAtMs: TimeMs,
  updatedAtMs: TimeMs,
});
export type NodeSpecRecord = z.infer<typeof NodeSpecRecord>;

/** `<node>`: what the host is, written by its agent; CAS on `incarnation` refuses a cloned disk. */
export const NodeRecord = z.object({
  v: FormatVersion,
  id: Id,
  incarnation: z.int().min(1),
  /** The agent process that wrote this: tells a cloned disk from a restart when incarnations are equal. */
  instance: Id.optional(),
  hostname: Hostname,
  /** Where other nodes reach this host (IPv4). */
  address: z.string(),
  /** What fits into a packet at that address; absent where the host does not tell. */
  uplinkMtuBytes: z.int().min(1).optional(),
  /** Public key, base64, of a host that can encrypt what goes between nodes; absent where it cannot. */
  wireguardKey: z.string().optional(),
  agentVersion: z.string(),
  agentPort: z.int(),
  engine: z.object({
    version: z.string(),
    apiVersion: z.string(),
    os: z.string(),
    architecture: z.string(),
    labels: z.record(z.string(), z.string()),
    plugins: z.array(z.object({ type: z.string(), name: z.string() })),
    liveRestore: z.boolean(),
  }),
  resources: z.object({
    nanoCpus: z.number(),
    memoryBytes: z.number(),
    generic: z.array(GenericResource).optional(),
  }),
  /** True on a node that runs a coordinator; its API address is then `managerAddress`. */
  manager: z.boolean(),
});
export type NodeRecord = z.infer<typeof NodeRecord>;
