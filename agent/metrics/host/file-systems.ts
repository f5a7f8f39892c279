/** Size and use of the mounted file systems, under node_exporter's names. A dead one costs a deadline once, never a scrape. */
import { join } from 'node:path';
import type { Clock } from '../../../runtime/clock.ts';
import { withDeadline } from '../../../runtime/clock.ts';
import { labelText } from '../../../runtime/label-text.ts';
import { type Family, type HostSample } from './family.ts';
import { type Mount, measuredMounts } from './mounts.ts';

/** What statfs(2) tells; sizes in blocks of `bsize` bytes. */
export interface FileSystemSize {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

export interface MeasuredFileSystem {
  readonly device: string;
  readonly size: FileSystemSize;
}

export interface FileSystemParts {
  readonly clock: Clock;
  /** Where the host's root directory is seen. */
  readonly rootfs: string;
  readonly statfsNow: (path: string) => FileSystemSize;
  /** May never settle. */
  readonly statfsLater: (path: string) => Promise<FileSystemSize>;
}

interface Asked {
  readonly mount: Mount;
  /** The size, or what kept us from it. */
  readonly answer: FileSystemSize | string;
}

const DEADLINE_MS = 500;
/**
 * A statfs() that hangs keeps one of Node's four threads for file work. Two are left to everybody else, so when two
 * hang, no third is asked.
 */
const HANGING_ALLOWED = 2;

export class FileSystems {
  private readonly parts: FileSystemParts;
  /** Mount points whose statfs() has not come back. */
  private readonly hanging = new Set<string>();
  private measured: readonly MeasuredFileSystem[] = [];
  private plan: { readonly mountinfo: string; readonly mounts: readonly Mount[] } = { mountinfo: '', mounts: [] };

  constructor(parts: FileSystemParts) {
    this.parts = parts;
  }

  async families(mountinfo: string): Promise<Family[]> {
    if (mountinfo !== this.plan.mountinfo) this.plan = { mountinfo, mounts: measuredMounts(utf8(mountinfo)) };
    const answers = this.plan.mounts.filter(({ mayHang }) => !mayHang).map((mount) => this.askNow(mount));
    const risky = this.plan.mounts.filter(({ mayHang }) => mayHang);
    const asked = risky.length === 0 ? answers : [...answers, ...(await this.askAll(risky))];
    this.measured = asked.flatMap(({ mount, answer }) => {
      return typeof answer === 'string' ? [] : [{ device: mount.device, size: answer }];
    });
    return fileSystemFamilies(asked);
  }

  /** As of the last call of `families`. */
  sizes(): readonly MeasuredFileSystem[] {
    return this.measured;
  }

  private askNow(mount: Mount): Asked {
    try {
      return { mount, answer: this.parts.statfsNow(this.pathOf(mount)) };
    } catch (error) {
      return { mount, answer: codeOf(error) };
    }
  }

  /** As many at a time as may hang, all within one deadline. */
  private async askAll(mounts: readonly Mount[]): Promise<Asked[]> {
    const waiting = mounts.filter(({ mountPoint }) => !this.hanging.has(mountPoint)).values();
    const answers = new Map<Mount, Asked['answer']>();
    let isLate = false;
    const askOneByOne = async () => {
      for (const mount of waiting) {
        answers.set(mount, 'timeout');
        const answer = await this.askLater(mount);
        if (isLate) return;
        answers.set(mount, answer);
      }
    };
    const askers = Array.from({ length: Math.max(0, HANGING_ALLOWED - this.hanging.size) }, askOneByOne);
    await withDeadline(this.parts.clock, DEADLINE_MS, Promise.all(askers), () => new Error('late')).catch(
      () => undefined,
    );
    isLate = true;
    return mounts.map((mount) => ({ mount, answer: answers.get(mount) ?? this.whyNotAsked(mount) }));
  }

  private async askLater(mount: Mount): Promise<Asked['answer']> {
    this.hanging.add(mount.mountPoint);
    try {
      return await this.parts.statfsLater(this.pathOf(mount));
    } catch (error) {
      return codeOf(error);
    } finally {
      this.hanging.delete(mount.mountPoint);
    }
  }

  private whyNotAsked({ mountPoint }: Mount): string {
    return this.hanging.has(mountPoint) ? 'mountpoint timeout' : 'not asked: others hang';
  }

  private pathOf({ mountPoint }: Mount): string {
    return join(this.parts.rootfs, mountPoint);
  }
}

/** Kernel files are read byte for byte as Latin-1, for speed; of these names some are of other alphabets. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

function fileSystemFamilies(asked: readonly Asked[]): Family[] {
  const sizes = asked.flatMap(({ mount, answer }) => {
    return typeof answer === 'string' ? [] : [{ labels: labelText(labelsOf(mount)), size: answer }];
  });
  const gauge = (name: string, help: string, samples: readonly HostSample[]): Family => {
    return { name: `node_filesystem_${name}`, type: 'gauge', help, samples };
  };
  const ofSizes = (value: (size: FileSystemSize) => number) =>
    sizes.map(({ labels, size }): HostSample => [labels, value(size)]);
  return [
    gauge(
      'size_bytes',
      'Size of the file system.',
      ofSizes(({ blocks, bsize }) => blocks * bsize),
    ),
    gauge(
      'free_bytes',
      'Free space.',
      ofSizes(({ bfree, bsize }) => bfree * bsize),
    ),
    gauge(
      'avail_bytes',
      'Free space for users other than root.',
      ofSizes(({ bavail, bsize }) => bavail * bsize),
    ),
    gauge(
      'files',
      'Inodes there may be.',
      ofSizes(({ files }) => files),
    ),
    gauge(
      'files_free',
      'Inodes left.',
      ofSizes(({ ffree }) => ffree),
    ),
    gauge(
      'readonly',
      '1 if it is mounted read-only.',
      asked.map(({ mount }) => [labelText(labelsOf(mount)), mount.readOnly ? 1 : 0]),
    ),
    gauge('device_error', '1 if its size could not be learnt, with the reason.', asked.map(errorSample)),
  ];
}

function errorSample({ mount, answer }: Asked): HostSample {
  if (typeof answer !== 'string') return [labelText(labelsOf(mount)), 0];
  return [labelText({ ...labelsOf(mount), device_error: answer }), 1];
}

function labelsOf({ device, fsType, mountPoint }: Mount) {
  return { device, fstype: fsType, mountpoint: mountPoint };
}
