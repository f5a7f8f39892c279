import { expect, test } from 'vitest';
import { TrafficMeter } from '../../../../agent/usage/traffic.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

test('reads a container twice at once, so that there is a rate, and then every ten seconds', async () => {
  const clock = new FakeClock();
  const meter = new TrafficMeter(clock);
  const readAtMs: number[] = [];
  const netDev = () => {
    readAtMs.push(clock.elapsedMs() - begunMs);
    return `eth0: ${readAtMs.length} 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n`;
  };
  const begunMs = clock.elapsedMs();
  const read: unknown[] = [];
  for (let atMs = 0; atMs <= 22_000; atMs += 2_000) {
    const { traffic, earlierTraffic } = meter.read('a', netDev);
    read.push([earlierTraffic?.receivedBytes, traffic?.receivedBytes]);
    await clock.advance(2_000);
  }

  expect(readAtMs).toEqual([0, 2_000, 12_000, 22_000]);
  expect(read.slice(0, 3)).toEqual([
    [undefined, 1],
    [1, 2],
    [1, 2],
  ]);
  expect(read.at(-1)).toEqual([3, 4]);
});

test('a container without a file has no traffic, and one that is forgotten begins again', () => {
  const clock = new FakeClock();
  const meter = new TrafficMeter(clock);
  expect(meter.read('a', () => undefined)).toEqual({ traffic: undefined, earlierTraffic: undefined });

  const netDev = () => 'eth0: 5 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n';
  meter.read('a', netDev);
  meter.forget('a');
  expect(meter.read('a', netDev).earlierTraffic).toBeUndefined();
});
