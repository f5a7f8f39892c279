/** A small JSON file that survives a crash at any moment: it holds the old content or the new, never half of one. */
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const PRIVATE = 0o600;

/** Writes beside the file, syncs, renames over it, syncs the folder. */
export async function writeDurably(path: string, content: unknown): Promise<void> {
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

/** The parsed content; undefined when there is no such file. Throws when it is no JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
