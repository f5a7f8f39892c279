/** Whether a process is the one that listens on a TCP port: an answer there may be another program's. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** State LISTEN of a TCP socket (include/net/tcp_states.h). */
const LISTEN = '0A';

/** For root, who may look at the files of any process. False for one that has ended too. */
export function listensOn(pid: number, port: number): boolean {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((table) => listeningInodes(readTable(pid, table), port)));
  return socketInodes(pid).some((inode) => inodes.has(inode));
}

/** Inodes of the sockets that listen on a port, from the text of /proc/net/tcp[6]. Pure. */
export function listeningInodes(table: string, port: number): string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const isMeant = state === LISTEN && Number.parseInt(local.split(':')[1] ?? '', 16) === port;
      return isMeant ? [inode] : [];
    });
}

/** Empty for a process that has ended, and where the kernel has no such table: IPv6 may be switched off. */
function readTable(pid: number, table: string): string {
  try {
    return readFileSync(`/proc/${pid}/net/${table}`, 'utf8');
  } catch {
    return '';
  }
}

function socketInodes(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return openFiles(directory).flatMap((name) => socketInode(join(directory, name)) ?? []);
}

function openFiles(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Undefined for other files, and for one closed meanwhile. */
function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}
