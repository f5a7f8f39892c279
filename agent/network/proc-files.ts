/** The real /proc of this process. */
import { readFile, writeFile } from 'node:fs/promises';
import type { ProcFiles } from './loopback-routing.ts';

export const hostProcFiles: ProcFiles = {
  read: (path) => readFile(path, 'utf8'),
  write: (path, text) => writeFile(path, text),
};
