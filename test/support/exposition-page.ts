/** A whole page in Prometheus' text format, taken apart. */

export interface ExposedFamily {
  readonly type: string;
  readonly help: string;
  /** Names of the labels that any of its series carries, sorted. */
  readonly labels: readonly string[];
}

export interface ExpositionPage {
  readonly families: ReadonlyMap<string, ExposedFamily>;
  /** By name and sorted labels: `up{a="1",b="2"}`. */
  readonly series: ReadonlyMap<string, number>;
}

/** Throws for a line that is none, and for a series that is there twice. */
export function parseExposition(page: string): ExpositionPage {
  const families = new Map<string, { type: string; help: string; labels: Set<string> }>();
  const series = new Map<string, number>();
  const familyOf = (name: string) =>
    families.get(name) ?? addTo(families, name, { type: '', help: '', labels: new Set() });
  for (const line of page.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) familyOf(name)[kind === 'HELP' ? 'help' : 'type'] = rest;
    else if (line !== '') {
      const sample = parseSample(line);
      const key = seriesKey(sample.name, sample.labels);
      if (series.has(key)) throw new Error(`twice on the page: ${key}`);
      series.set(key, sample.value);
      const family = families.has(sample.name) ? sample.name : sample.name.replace(/_(bucket|sum|count)$/, '');
      for (const [label] of sample.labels) if (label !== 'le') familyOf(family).labels.add(label);
    }
  }
  const exposed = [...families].map(
    ([name, { type, help, labels }]) => [name, { type, help, labels: [...labels].sort() }] as const,
  );
  return { families: new Map(exposed), series };
}

export function seriesKey(name: string, labels: readonly (readonly [string, string])[]): string {
  const pairs = labels.filter(([, value]) => value !== '').map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.toSorted().join(',')}}`;
}

function parseSample(line: string) {
  const [, name = '', labels = '', value = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/.exec(line) ?? [];
  if (name === '') throw new Error(`no sample: ${line}`);
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, label = '', text = '']) => [label, text] as const,
  );
  return { name, labels: pairs, value: value === '+Inf' ? Infinity : Number(value) };
}

function addTo<V>(map: Map<string, V>, key: string, value: V): V {
  map.set(key, value);
  return value;
}
