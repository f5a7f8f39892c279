/**
 * `plim.rpc.<node>.engine`: one request to a node's engine, passed on by its agent. The stream that answers begins with the
 * head as a chunk of its own, then the answer's bytes as they are; the asker's input is the request's body or, once the
 * connection is upgraded, what goes to the process.
 */
import { z } from 'zod';

export const EngineSessionRequest = z.object({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE']),
  /** Without a version: `/containers/ID/logs`. */
  path: z.string().startsWith('/'),
  /** As it stands after the question mark. */
  query: z.string(),
  /** `none`; `body`: the input is the request's body; `upgrade`: it follows the request on the upgraded connection. */
  input: z.enum(['none', 'body', 'upgrade']),
  contentType: z.string().optional(),
  /** The body of an upgraded request: a small JSON document. */
  body: z
    .string()
    .max(64 * 1024)
    .optional(),
  /** X-Registry-Auth, for pulls. */
  registryAuth: z.string().optional(),
});
export type EngineSessionRequest = z.infer<typeof EngineSessionRequest>;

export const EngineSessionHead = z.object({
  status: z.int(),
  /** The rest is the process' own output, not a body. */
  upgraded: z.boolean(),
  contentType: z.string().optional(),
  /** X-Docker-Container-Path-Stat: what `docker cp` is about. */
  pathStat: z.string().optional(),
});
export type EngineSessionHead = z.infer<typeof EngineSessionHead>;
