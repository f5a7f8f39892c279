/** What a scrape asks the kernel for: files read, directories listed, links followed. */
import { z } from 'zod';

export const FileOperation = z.object({
  kind: z.enum(['read', 'list', 'link', 'stat', 'statfs']),
  path: z.string(),
});
export type FileOperation = z.infer<typeof FileOperation>;
