/** A host's kernel files as a directory of texts: what is recorded, or written after the kernel's documentation. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HostRoots } from '../../agent/metrics/roots.ts';

/** Writes the files, by path below the host's root (`proc/stat`), for the running test; answers where they are. */
export function kernelTree(files: Readonly<Record<string, string>>): HostRoots {
  const root = mkdtempSync(join(tmpdir(), 'plimsoll-kernel-tree-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return rootsAt(root);
}

/** The roots of a host whose files are below `root`. */
export function rootsAt(root: string): HostRoots {
  return { procRoot: join(root, 'proc'), sysRoot: join(root, 'sys'), rootfs: root };
}
