/** For agents whose tasks refer to no secrets and configs. */
import type { VolatileFolder } from '../../agent/files/volatile-folder.ts';

export const noFolder: VolatileFolder = {
  write: async () => Promise.reject(new Error('nothing was to be written here')),
  remove: async () => undefined,
  tasks: async () => [],
};
