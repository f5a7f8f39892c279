/**
 * Reads the small files the kernel makes up (procfs, sysfs, cgroups), synchronously: they are there at once, and a trip
 * through the thread pool costs several times what the read does. All files share one buffer, and those read again and
 * again may keep their descriptor: opening a cgroup file costs five times what reading it does.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { openFilesLimit } from './kernel-text.ts';

/** Something that can be read again and again. */
export interface TextSource {
  /** What it says now; undefined when it is not there (any more). */
  read(): string | undefined;
  /** Says the same until somebody sets it: need not be read each time. */
  readonly isSetting?: boolean;
}

/** A file that keeps its descriptor, where there are enough of them. */
export interface KernelFile extends TextSource {
  /** Gives the descriptor back. */
  close(): void;
}

/**
 * A seq_file answers at most about a page per call, cutting after a record, and 0 bytes at its end. Below this many bytes
 * it was not cut, because no record we read is that long: the second call can be saved.
 */
const SURELY_WHOLE_BYTES = 2048;
const FIRST_BUFFER_BYTES = 64 << 10;

/** About thirty for each of 400 containers. */
const KEPT_LIMIT = 12_000;

/** How many files this process may keep open for this: at most half of those it may open at all. */
export function keepableFiles(): number {
  const limit = openFilesLimit(new KernelFiles(0).read('/proc/self/limits')) ?? 0;
  return limit === -1 ? KEPT_LIMIT : Math.min(KEPT_LIMIT, Math.floor(limit / 2));
}

export class KernelFiles {
  private buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  private readonly keepAtMost: number;
  private kept = 0;

  /** `keepAtMost` descriptors stay open; files beyond are opened at each read. */
  constructor(keepAtMost: number) {
    this.keepAtMost = keepAtMost;
  }

  /** Opens, reads and closes. */
  read(path: string): string | undefined {
    const descriptor = tryOpen(path);
    if (descriptor === undefined) return undefined;
    try {
      return this.readAll(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * A file to be read many times; one that is not there at first, or ceases to be, is not asked for again. Not for files
   * that hold on to more than themselves: an open /proc/<pid>/net/dev keeps a dead container's network alive.
   */
  keep(path: string): KernelFile {
    let descriptor: number | undefined;
    let isGone = false;
    const close = () => {
      isGone = true;
      if (descriptor === undefined) return;
      closeSync(descriptor);
      descriptor = undefined;
      this.kept -= 1;
    };
    const read = () => {
      if (isGone) return undefined;
      if (descriptor === undefined && this.kept < this.keepAtMost) {
        descriptor = tryOpen(path);
        if (descriptor !== undefined) this.kept += 1;
      }
      const text = descriptor === undefined ? this.read(path) : this.readAll(descriptor);
      if (text === undefined) close();
      return text;
    };
    return { read, close };
  }

  /** Names of the directories in a directory; none when it is not there. */
  listDirectories(path: string): string[] {
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    } catch {
      return [];
    }
  }

  /** From the beginning, whatever was read before. A file whose cgroup or process is gone fails: undefined. */
  private readAll(descriptor: number): string | undefined {
    let length = 0;
    try {
      for (;;) {
        const count = readSync(descriptor, this.buffer, length, this.buffer.length - length, length);
        length += count;
        if (count === 0 || length < SURELY_WHOLE_BYTES) return this.buffer.toString('latin1', 0, length);
        if (length === this.buffer.length) this.grow();
      }
    } catch {
      return undefined;
    }
  }

  private grow(): void {
    const larger = Buffer.allocUnsafe(this.buffer.length * 2);
    this.buffer.copy(larger);
    this.buffer = larger;
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
