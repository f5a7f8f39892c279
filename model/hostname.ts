/** Names of hosts: those of RFC 1123, and underscores, which Linux does not mind. */
import { z } from 'zod';

const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** It goes into headers, labels and templates: nothing that means something there may be in it. */
export const Hostname = z
  .string()
  .max(253)
  .regex(HOSTNAME, 'must be letters, digits, "-" and "_" in parts of 63 characters at most, with dots between them');

/** What is wrong with a hostname, as the end of a sentence that names it; undefined for a good one. Pure. */
export function hostnameProblem(hostname: string): string | undefined {
  const checked = Hostname.safeParse(hostname);
  return checked.success ? undefined : checked.error.issues.map(({ message }) => message).join('; ');
}
