import { expect, it } from 'vitest';
import { DerivedSeries } from '../../../../agent/metrics/derived-series.ts';
import type { TextSource } from '../../../../agent/metrics/kernel-files.ts';

function derived(sources: Readonly<Record<'usage' | 'limit', TextSource>>) {
  const series = new DerivedSeries(Buffer.from('id="/"'));
  let derivations = 0;
  const refresh = (withSettings = false) => {
    series.refresh(withSettings, (read, put) => {
      derivations += 1;
      put('container_memory_usage_bytes', Number(read(sources.usage)));
      put('container_spec_memory_limit_bytes', Number(read(sources.limit)));
    });
    return { values: series.all().map(({ value }) => value), derivations };
  };
  return refresh;
}

it('derives anew only when a text is another', () => {
  const texts = { usage: '1', limit: '10' };
  const refresh = derived({ usage: { read: () => texts.usage }, limit: { read: () => texts.limit } });

  expect(refresh()).toEqual({ values: [1, 10], derivations: 1 });
  expect(refresh()).toEqual({ values: [1, 10], derivations: 1 });
  texts.limit = '20';
  expect(refresh()).toEqual({ values: [1, 20], derivations: 2 });
});

it('reads settings again only when asked to', () => {
  const texts = { usage: '1', limit: '10' };
  const refresh = derived({ usage: { read: () => texts.usage }, limit: { read: () => texts.limit, isSetting: true } });
  refresh();
  texts.usage = '2';
  texts.limit = '20';

  expect(refresh().values).toEqual([2, 10]);
  expect(refresh(true).values).toEqual([2, 20]);
});

it('leaves out the series of a source that has gone', () => {
  const text: { now: string | undefined } = { now: '7' };
  const source: TextSource = { read: () => text.now };
  const series = new DerivedSeries(Buffer.from('id="/"'));
  const refresh = () => {
    series.refresh(false, (read, put) => {
      const value = read(source);
      put('container_memory_rss', value === undefined ? undefined : Number(value));
      put('container_memory_cache', 1);
    });
    return series.all().map(({ metric, value }) => [metric, value]);
  };

  expect(refresh()).toEqual([
    ['container_memory_rss', 7],
    ['container_memory_cache', 1],
  ]);
  text.now = undefined;
  expect(refresh()).toEqual([['container_memory_cache', 1]]);
});
