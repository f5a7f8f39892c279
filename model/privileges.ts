/** What a container may do beyond (or below) the engine's defaults, in the Engine API's own words. */
import { z } from 'zod';

export const Privileges = z.strictObject({
  /** Windows only. */
  CredentialSpec: z
    .strictObject({ Config: z.string().optional(), File: z.string().optional(), Registry: z.string().optional() })
    .optional(),
  SELinuxContext: z
    .strictObject({
      Disable: z.boolean().optional(),
      User: z.string().optional(),
      Role: z.string().optional(),
      Type: z.string().optional(),
      Level: z.string().optional(),
    })
    .optional(),
  Seccomp: z
    .strictObject({
      Mode: z.enum(['default', 'unconfined', 'custom', '']).optional(),
      /** Base64 of the profile's JSON; with mode `custom` only. */
      Profile: z.string().optional(),
    })
    .optional(),
  AppArmor: z.strictObject({ Mode: z.enum(['default', 'disabled', '']).optional() }).optional(),
  NoNewPrivileges: z.boolean().optional(),
});
export type Privileges = z.infer<typeof Privileges>;
