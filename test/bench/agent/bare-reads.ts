/**
 * A program of its own: does the file operations in the JSON file it is given, with open, read and close into one buffer
 * and nothing else, again and again; prints the CPU milliseconds of each pass as JSON.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statfsSync, statSync } from 'node:fs';
import { z } from 'zod';
import { FileOperation } from './file-operation.ts';

const Work = z.object({ operations: z.array(FileOperation), warmUpPasses: z.int(), passes: z.int() });

const buffer = Buffer.allocUnsafe(256 << 10);

function read(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    while (readSync(descriptor, buffer, 0, buffer.length, null) > 0);
  } finally {
    closeSync(descriptor);
  }
}

const work: Record<FileOperation['kind'], (path: string) => unknown> = {
  read,
  list: readdirSync,
  link: readlinkSync,
  stat: statSync,
  statfs: statfsSync,
};

/** A file the agent looked for in vain costs the bare reader the same failed call. */
function pass(operations: readonly FileOperation[]): number {
  const before = process.cpuUsage();
  for (const { kind, path } of operations) {
    try {
      work[kind](path);
    } catch {
      // Not there.
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const { operations, warmUpPasses, passes } = Work.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
for (let done = 0; done < warmUpPasses; done += 1) pass(operations);
const cpuMs = Array.from({ length: passes }, () => pass(operations));
process.stdout.write(JSON.stringify(cpuMs));
