/** Values in Grafana's units, as its axes and tables write them. Pure. */

/**
 * Runs in the browser too, where it arrives as text: so it stands on nothing outside itself. Dates are told as the time
 * since then.
 */
export function formatValue(unit: string, value: number | null): string {
  const scaled = (amount: number, base: number, prefixes: readonly string[], suffix: string): string => {
    let index = 0;
    let rest = amount;
    while (Math.abs(rest) >= base && index < prefixes.length - 1) {
      rest /= base;
      index += 1;
    }
    return `${Number(rest.toPrecision(3))}${prefixes[index] ?? ''}${suffix}`;
  };
  const duration = (seconds: number): string => {
    const size = Math.abs(seconds);
    if (size !== 0 && size < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
    if (size !== 0 && size < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
    if (size < 120) return `${Number(seconds.toPrecision(3))} s`;
    if (size < 7_200) return `${Number((seconds / 60).toPrecision(3))} min`;
    return `${Number((seconds / 3_600).toPrecision(3))} h`;
  };
  if (value === null || Number.isNaN(value)) return '';
  if (unit === 'percentunit') return `${Number((value * 100).toPrecision(3))}%`;
  if (unit === 'bytes') return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB'], '');
  if (unit === 'Bps') return scaled(value, 1000, [' B/s', ' kB/s', ' MB/s', ' GB/s'], '');
  if (unit === 's') return duration(value);
  if (unit === 'bool_yes_no') return value === 0 ? 'No' : 'Yes';
  if (unit === 'dateTimeFromNow') return `${duration((Date.now() - value) / 1000)} ago`;
  if (unit === 'none') return String(value);
  const suffixes: Record<string, string> = { short: '', ops: ' ops/s', iops: ' io/s', pps: ' p/s', hertz: ' Hz' };
  const suffix = unit.startsWith('suffix:') ? unit.slice('suffix:'.length) : (suffixes[unit] ?? ` ${unit}?`);
  return scaled(value, 1000, ['', ' K', ' Mil', ' Bil'], suffix);
}
