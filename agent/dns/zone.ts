/** What the resolver of a host knows, as the agent writes it and `plim dns` reads it: `<state-dir>/node/zone.json`. */
import { join } from 'node:path';
import { z } from 'zod';

const Addresses = z.array(z.ipv4());

export const Zone = z.object({
  v: z.literal(1),
  /** Where to listen: the addresses of the host's bridges. */
  listen: Addresses,
  /** By network id: lower-case names and what they stand for there. */
  networks: z.record(z.string(), z.record(z.string(), Addresses)),
  /** By address: who may ask and what they see. */
  askers: z.record(
    z.string(),
    z.object({
      /** Ids of its networks, in the order they are looked through. */
      networks: z.array(z.string()),
      /** Other names are none of its business: it is on internal networks only. */
      confined: z.boolean(),
      /** Resolvers of its own for other names; empty = the host's. */
      nameservers: z.array(z.string()),
    }),
  ),
  /** By network id: the name an address goes by there. */
  reverse: z.record(z.string(), z.record(z.string(), z.string())),
});
export type Zone = z.infer<typeof Zone>;

export function zonePath(stateDir: string): string {
  return join(stateDir, 'node', 'zone.json');
}
