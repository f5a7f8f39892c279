import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LayerPlace, LayerSizes } from '../../../../agent/metrics/layer-sizes.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'plimsoll-layer-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Measures once; answers what is put for container `c`. */
async function measured(places: readonly LayerPlace[], clock = new FakeClock()): Promise<Record<string, number>> {
  const sizes = new LayerSizes({
    clock,
    log: createLog('test', 'silent'),
    deviceNames: () => '/dev/sda',
    places: () => places,
  });
  const ended = new AbortController();
  const done = sizes.watch(ended.signal);
  onTestFinished(async () => {
    ended.abort();
    await done;
  });
  await clock.advance(1_000);
  const values: Record<string, number> = {};
  sizes.put('c', (metric, value, labels) => {
    values[`${metric}{${labels}}`] = value ?? Number.NaN;
  });
  return values;
}

function blocksOf(...paths: string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
}

describe('LayerSizes', () => {
  it('adds up what the files of a layer and the logs take, each inode once', async () => {
    const layer = join(directory, 'diff');
    const logs = join(directory, 'logs');
    mkdirSync(join(layer, 'deep'), { recursive: true });
    mkdirSync(logs);
    const file = join(layer, 'deep', 'file');
    writeFileSync(file, 'x'.repeat(50_000));
    linkSync(file, join(layer, 'same'));
    symlinkSync('/proc', join(layer, 'elsewhere'));
    writeFileSync(join(logs, 'log'), 'y'.repeat(5_000));

    const values = await measured([{ containerId: 'c', directories: [layer, logs] }]);

    const used = blocksOf(file, join(layer, 'deep'), join(logs, 'log'));
    expect(values['container_fs_usage_bytes{device="/dev/sda"}']).toBe(used);
    expect(values['container_fs_inodes_total{device="/dev/sda"}']).toBe(4);
    expect(values['container_fs_limit_bytes{device="/dev/sda"}']).toBeGreaterThan(used);
  });

  it('says nothing of a container whose layer is gone', async () => {
    expect(await measured([{ containerId: 'c', directories: [join(directory, 'gone')] }])).toEqual({});
  });

  it('measures the others when one cannot be looked at', async () => {
    symlinkSync('loop', join(directory, 'loop'));
    const places = [
      { containerId: 'broken', directories: [join(directory, 'loop', 'diff')] },
      { containerId: 'c', directories: [directory] },
    ];

    expect(await measured(places)).toMatchObject({ 'container_fs_inodes_total{device="/dev/sda"}': 1 });
  });

  it('rests so that it takes a twentieth of a processor', async () => {
    for (let index = 0; index < 10; index += 1) writeFileSync(join(directory, `${index}`), '');
    const clock = new FakeClock();
    // Each file takes 2 ms by this clock, and a rest of 38 ms.
    let workedMs = 0;
    const elapsed = clock.elapsedMs.bind(clock);
    clock.elapsedMs = () => elapsed() + (workedMs += 1);
    const sizes = new LayerSizes({
      clock,
      log: createLog('test', 'silent'),
      deviceNames: () => '/dev/sda',
      places: () => [{ containerId: 'c', directories: [directory] }],
    });
    const ended = new AbortController();
    const done = sizes.watch(ended.signal);
    await clock.advance(100);

    const seen: string[] = [];
    sizes.put('c', (metric) => seen.push(metric));
    expect(seen).toEqual([]);
    await clock.advance(1_000);
    sizes.put('c', (metric) => seen.push(metric));
    expect(seen).toContain('container_fs_usage_bytes');
    ended.abort();
    await done;
  });
});
