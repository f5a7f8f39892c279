import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'plimsoll-kernel-files-'));
  path = join(directory, 'cpu.stat');
  writeFileSync(path, 'first');
});

afterEach(() => rmSync(directory, { recursive: true }));

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('KernelFiles', () => {
  it('reads from the beginning each time', () => {
    const file = new KernelFiles(1).keep(path);
    expect(file.read()).toBe('first');

    writeFileSync(path, 'second, and longer');

    expect(file.read()).toBe('second, and longer');
    file.close();
  });

  it('reads files that are larger than its buffer', () => {
    writeFileSync(path, 'x'.repeat(200_000));

    expect(new KernelFiles(0).read(path)).toHaveLength(200_000);
  });

  it('reads a file of the kernel to its end, which it tells in parts', () => {
    const lines = new KernelFiles(0).read('/proc/kallsyms')?.split('\n') ?? [];

    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.at(-1)).toBe('');
  });

  it('answers undefined for a file that is not there, and does not ask for it again', () => {
    const missing = join(directory, 'missing');
    const file = new KernelFiles(1).keep(missing);
    expect(file.read()).toBeUndefined();

    writeFileSync(missing, 'late');

    expect(file.read()).toBeUndefined();
  });

  it('keeps as many descriptors as it may, and reads the other files without', () => {
    const files = new KernelFiles(2);
    const kept = Array.from({ length: 5 }, () => files.keep(path));
    const before = openDescriptors();

    expect(kept.map((file) => file.read())).toEqual(Array.from({ length: 5 }, () => 'first'));
    expect(openDescriptors()).toBe(before + 2);

    for (const file of kept) file.close();
    expect(openDescriptors()).toBe(before);
  });

  it('gives back the descriptor of a file that has ceased to answer', () => {
    const files = new KernelFiles(1);
    const before = openDescriptors();
    mkdirSync(join(directory, 'group'));
    const file = files.keep(join(directory, 'group'));

    // A directory can be opened but not read, like the file of a cgroup that is gone.
    expect(file.read()).toBeUndefined();
    expect(openDescriptors()).toBe(before);
  });
});
