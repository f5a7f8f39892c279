/** A small file system of its own under a directory, to be filled: ext4 on a loop device. Needs root. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class SmallDisk {
  private readonly directory: string;
  private readonly imageDirectory: string;

  private constructor(directory: string, imageDirectory: string) {
    this.directory = directory;
    this.imageDirectory = imageDirectory;
  }

  /** Mounts a new one; its blocks take space on this machine only as they are written. */
  static async mount(directory: string, sizeBytes: number): Promise<SmallDisk> {
    const imageDirectory = mkdtempSync(join(tmpdir(), 'plimsoll-disk-'));
    const image = join(imageDirectory, 'image');
    mkdirSync(directory, { recursive: true });
    await run('truncate', ['--size', String(sizeBytes), image]);
    await run('mkfs.ext4', ['-q', '-m', '0', image]);
    await run('mount', ['-o', 'loop', image, directory]);
    return new SmallDisk(directory, imageDirectory);
  }

  /** Leaves not one block free. */
  async fill(): Promise<void> {
    const { bavail, bsize } = await statfs(this.directory);
    await run('fallocate', ['--length', String(bavail * bsize - (1 << 20)), this.filler('most')]);
    await run('dd', ['if=/dev/zero', `of=${this.filler('rest')}`, 'bs=4096']).catch(() => undefined);
  }

  free(): void {
    for (const name of ['most', 'rest']) rmSync(this.filler(name), { force: true });
  }

  /** The loop device goes with the last process that uses a file on it. */
  async unmount(): Promise<void> {
    await run('umount', ['--lazy', this.directory]).catch(() => undefined);
    rmSync(this.imageDirectory, { recursive: true, force: true });
  }

  private filler(name: string): string {
    return join(this.directory, `filler-${name}`);
  }
}
