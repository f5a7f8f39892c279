/** What is wrong, or will be, with the cluster's networks on a host: said by its agent with its usage, shown by `plim status`. */
import { z } from 'zod';
import { Id } from './record-format.ts';

/** How many of them an agent tells at most. */
export const WARNINGS_AT_MOST = 20;
/** Of each of its sentences. */
export const WARNING_CHARACTERS_AT_MOST = 1_000;
const KIND_CHARACTERS_AT_MOST = 50;

export const NetworkWarning = z.object({
  /** `overlap`, `blocked`, `kernel`, `mtu`, `firewall`, `version`; newer agents may know more. */
  kind: z.string().max(KIND_CHARACTERS_AT_MOST),
  /** With the values. */
  says: z.string().max(WARNING_CHARACTERS_AT_MOST),
  /** What to do. */
  advice: z.string().max(WARNING_CHARACTERS_AT_MOST),
  /** The other node it is about; absent = this host alone. */
  peerId: Id.optional(),
});
export type NetworkWarning = z.infer<typeof NetworkWarning>;

/** As agents send them: one that this release cannot read costs none of the others. */
export const NetworkWarnings = z
  .array(z.unknown())
  .transform((sent) => sent.flatMap((one) => NetworkWarning.safeParse(one).data ?? []).slice(0, WARNINGS_AT_MOST));
