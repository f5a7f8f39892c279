/** A root file system with the newer Docker Engine in it, as the lab's modern hosts have: made by the lab's own scripts. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shell } from './network-namespace.ts';

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));
const loadScripts = `for part in ${scripts}/install.d/*.sh ${scripts}/lab.d/hosts.sh ${scripts}/lab.d/modern-tree.sh; do . "$part"; done`;

/**
 * Makes a mount namespace whose root is an overlay of the cached tree, with `dir` in it at its own path; answers the file
 * it is pinned to, for `nsenter --mount=`. The first call on a machine makes the tree: about a minute.
 */
export async function makeModernRoot(dir: string): Promise<string> {
  const namespaces = join(dir, 'namespaces');
  const pinned = join(namespaces, 'mnt');
  await mkdir(namespaces);
  await mkdir(join(dir, 'run', 'files'), { recursive: true });
  await writeFile(pinned, '');
  // A mount namespace can be pinned to a file only where mounts are not propagated.
  await bash(`
    ${loadScripts}
    ensure_modern_tree
    mount --bind ${namespaces} ${namespaces}
    mount --make-private ${namespaces}
    touch ${pinned}
    unshare --mount=${pinned} bash -euc "$(declare -f prepare_modern_root); prepare_modern_root ${dir} $(modern_tree)"`);
  return pinned;
}

/** Lets go of the namespace; its mounts end with the last process in it. */
export async function removeModernRoot(dir: string): Promise<void> {
  const namespaces = join(dir, 'namespaces');
  await shell(`
    for pinned in ${namespaces}/mnt ${namespaces}; do
      while mountpoint -q "$pinned"; do umount -l "$pinned"; done
    done`);
}

function bash(script: string): Promise<string> {
  return shell(`bash -eu <<'SCRIPT'\n${script}\nSCRIPT\n`);
}
