/** A folder in memory only root may look into, for what must never lie on a disk: one folder per task in it. */
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandRunner, runSuccessfully } from '../network/command-runner.ts';

export interface FileOwner {
  readonly userId: number;
  readonly groupId: number;
  readonly mode: number;
}

export interface VolatileFolder {
  /** Writes `<task>/<name>` anew and answers its path on the host; containers keep what they were given before. */
  write(taskId: string, name: string, content: Uint8Array, owner: FileOwner): Promise<string>;
  /** Fine when there is none. */
  remove(taskId: string): Promise<void>;
  /** The tasks that have files here. */
  tasks(): Promise<string[]>;
}

/** From linux/magic.h. */
const IN_MEMORY = [0x01021994, 0x858458f6];
const PRIVATE = 0o700;
const SIZE_LIMIT = '64m';

export class RealVolatileFolder implements VolatileFolder {
  private readonly path: string;
  private readonly run: CommandRunner;
  private prepared: Promise<void> | undefined;

  /** `path` is made, and a tmpfs mounted on it unless it lies on one: on most hosts /run is. */
  constructor(path: string, run: CommandRunner) {
    this.path = path;
    this.run = run;
  }

  async write(taskId: string, name: string, content: Uint8Array, owner: FileOwner): Promise<string> {
    await this.ready();
    const folder = join(this.path, taskId);
    await mkdir(folder, { recursive: true, mode: PRIVATE });
    const target = join(folder, name);
    const draft = `${target}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await chown(draft, owner.userId, owner.groupId);
    await chmod(draft, owner.mode);
    await rename(draft, target);
    return target;
  }

  async remove(taskId: string): Promise<void> {
    await rm(join(this.path, taskId), { recursive: true, force: true });
  }

  async tasks(): Promise<string[]> {
    return readdir(this.path).catch(() => []);
  }

  private async ready(): Promise<void> {
    this.prepared ??= this.prepare();
    try {
      await this.prepared;
    } catch (error) {
      this.prepared = undefined;
      throw error;
    }
  }

  private async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: PRIVATE });
    const { type } = await statfs(this.path);
    if (!IN_MEMORY.includes(type) && !(await isMountPoint(this.path))) {
      const options = `mode=0700,size=${SIZE_LIMIT},nosuid,nodev,noexec`;
      await runSuccessfully(this.run, 'mount', ['-t', 'tmpfs', '-o', options, 'plimsoll', this.path]);
    }
    await chmod(this.path, PRIVATE);
  }
}

async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === path);
}
