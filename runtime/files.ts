/** A daemon's own small JSON files as an injected thing. */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface JsonFiles {
  /** The parsed content; undefined when there is no such file. Throws when it is no JSON. */
  read(path: string): Promise<unknown>;
  /** Survives a crash at any moment: the file holds the old content or the new, never half of one. */
  write(path: string, content: unknown): Promise<void>;
}

const PRIVATE = 0o600;

export const durableFiles: JsonFiles = {
  read: async (path) => {
    try {
      return JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  write: writeDurably,
};

/** Writes beside the file, syncs, renames over it, syncs the folder. */
async function writeDurably(path: string, content: unknown): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', PRIVATE);
  try {
    await file.writeFile(JSON.stringify(content));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
