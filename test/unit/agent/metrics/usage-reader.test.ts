import { describe, expect, test } from 'vitest';
import type { CgroupFiles } from '../../../../agent/metrics/container-cgroups.ts';
import { keyedNumber } from '../../../../agent/metrics/kernel-text.ts';
import { createUsageReader } from '../../../../agent/metrics/usage-reader.ts';

type Texts = Readonly<Record<string, string>>;

/** The files of one container on a host of that version. */
function filesOf(version: 1 | 2, texts: Texts): CgroupFiles {
  const read = (name: string) => texts[name];
  const source = (name: string) => ({ read: () => read(name) });
  return { path: '/docker/c', v1: read, v2: read, sourceV1: source, sourceV2: source, versionOf: () => version };
}

/** What is read of it, and the containers that are looked for again next time. */
function read(files: CgroupFiles | undefined) {
  const forgotten: string[] = [];
  const usage = createUsageReader({ of: () => files, forget: (id) => void forgotten.push(id) })({ id: 'c', pid: 1 });
  return { usage, forgotten };
}

const v1 = {
  'cpuacct/cpuacct.usage': '1500000000\n',
  'memory/memory.usage_in_bytes': '10000\n',
  'memory/memory.stat': 'cache 1\ninactive_file 7\ntotal_cache 2\ntotal_inactive_file 4000\n',
  'memory/memory.limit_in_bytes': '9223372036854771712\n',
};
const v2 = {
  'cpu.stat': 'usage_usec 2500000\nuser_usec 1\n',
  'memory.current': '10000\n',
  'memory.stat': 'anon 1\ninactive_anon 3\ninactive_file 4000\n',
  'memory.max': '65536\n',
};

describe('createUsageReader()', () => {
  test('cgroup v1: the whole subtree, no limit as 0', () => {
    expect(read(filesOf(1, v1)).usage).toEqual({ cpuSeconds: 1.5, memoryWorkingSetBytes: 6_000, memoryLimitBytes: 0 });
  });

  test('cgroup v2', () => {
    expect(read(filesOf(2, v2)).usage).toEqual({
      cpuSeconds: 2.5,
      memoryWorkingSetBytes: 6_000,
      memoryLimitBytes: 65_536,
    });
  });

  test('files that have ceased to answer are looked for again', () => {
    expect(read(filesOf(2, {}))).toEqual({ usage: undefined, forgotten: ['c'] });
  });

  test('a container that does not run has none', () => {
    expect(read(undefined)).toEqual({ usage: undefined, forgotten: [] });
  });
});

describe('keyedNumber()', () => {
  test.each([
    ['a 1\nb 2\n', 'a', 1],
    ['a 1\nb 2', 'b', 2],
    ['total_a 1\na 2\n', 'a', 2],
    ['a 1\n', 'b', undefined],
    ['ab 1\n', 'a', undefined],
    ['', 'a', undefined],
    [undefined, 'a', undefined],
  ])('%j: %s is %s', (text, key, number) => {
    expect(keyedNumber(text, key)).toBe(number);
  });
});
