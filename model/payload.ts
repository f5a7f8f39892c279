/** Secrets and configs: files a service's tasks get. What is in them never lies in clear outside a node's memory. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

export const PayloadKind = z.enum(['secret', 'config']);
export type PayloadKind = z.infer<typeof PayloadKind>;

/** Swarm's SecretSpec and ConfigSpec without their data; the Engine API's spelling. */
export const PayloadSpec = z.object({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()),
  /** `golang`: the content is a template, expanded on the node a task runs on. */
  Templating: z.object({ Name: z.literal('golang') }).optional(),
});
export type PayloadSpec = z.infer<typeof PayloadSpec>;

/** The version that is to take a payload's name; its content sealed for its own id. */
const PayloadSuccessor = z.object({ id: Id, name: z.string(), sealed: z.string() });
export type PayloadSuccessor = z.infer<typeof PayloadSuccessor>;

/** `secret.<id>` and `config.<id>` in plim_spec. */
export const PayloadRecord = z.object({
  v: FormatVersion,
  id: Id,
  spec: PayloadSpec,
  /** The content under the cluster's key; see coordinator/payloads/vault.ts. */
  sealed: z.string(),
  /** Counts up with each rotation of the name. */
  version: z.int().min(1),
  /** A rotation that is under way, in the version before: whoever finds it can finish it. */
  successor: PayloadSuccessor.optional(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
export type PayloadRecord = z.infer<typeof PayloadRecord>;

/** `plim.payloads.<node>`: an agent asks for what a task assigned to its node refers to. */
export const PayloadRequest = z.object({
  taskId: Id,
  kind: PayloadKind,
  id: z.string(),
  /** The content comes sealed to this curve key. */
  publicKey: z.string(),
});
export type PayloadRequest = z.infer<typeof PayloadRequest>;

export const SealedPayload = z.object({
  name: z.string(),
  isTemplate: z.boolean(),
  /** Opened with the node's private key and the sender's public one. */
  sealed: z.string(),
  senderKey: z.string(),
});
export type SealedPayload = z.infer<typeof SealedPayload>;
