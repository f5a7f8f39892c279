/** plim_name: who owns a name or a port. */
import { z } from 'zod';
import { FormatVersion, Id } from './record-format.ts';

/** `<kind>.<name>` and `port.<proto>.<port>`: who owns a name; created before the spec, swept when the spec is absent 60 s. */
export const ClaimRecord = z.object({ v: FormatVersion, ownerId: Id, ownerName: z.string() });
export type ClaimRecord = z.infer<typeof ClaimRecord>;
