/** Log files of supervised processes stay bounded: one older copy is kept. */
import { copyFileSync, statSync, truncateSync } from 'node:fs';

/**
 * Above `maxBytes` the file is copied to `<path>.1` and emptied. Copied, not renamed: the process that writes it keeps
 * it open (in append mode) and would go on writing into the renamed one.
 */
export function limitLogFile(path: string, maxBytes: number): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= maxBytes) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
}
