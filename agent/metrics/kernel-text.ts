/** Reading the kernel's small text formats. Pure; text that is absent or does not fit gives `undefined`. */

/** A file with one number; `max` is no number. */
export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  return Number.isNaN(number) ? undefined : number;
}

/** Lines of `key value`. */
export function keyedNumbers(text: string | undefined): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  if (text === undefined) return numbers;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const blank = text.indexOf(' ', start);
    if (blank !== -1 && blank < end) numbers.set(text.slice(start, blank), Number(text.slice(blank + 1, end)));
    start = end + 1;
  }
  return numbers;
}

/** The number of one key in lines of `key value`, without looking at the others. */
export function keyedNumber(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const words = `${key} `;
  const lineStart = text.startsWith(words) ? 0 : text.indexOf(`\n${words}`) + 1;
  if (!text.startsWith(words, lineStart)) return undefined;
  const newline = text.indexOf('\n', lineStart);
  return numberIn(text.slice(lineStart + words.length, newline === -1 ? undefined : newline));
}

/** A limit as cAdvisor shows it: none is 0. v1 writes "none" as a number near 2^63, v2 as `max`. */
export function limitIn(text: string | undefined): number | undefined {
  if (text?.startsWith('max')) return 0;
  const limit = numberIn(text);
  return limit !== undefined && limit > 2 ** 62 ? 0 : limit;
}

/** `usage` less what the kernel can drop at once, never below 0: what `docker stats` shows too. */
export function workingSet(usage: number | undefined, inactiveFile: number | undefined): number | undefined {
  return usage === undefined ? undefined : Math.max(0, usage - (inactiveFile ?? 0));
}

/** Undefined stays undefined; division, unlike multiplication by 1e-9, gives the shortest decimal. */
export function dividedBy(value: number | undefined, divisor: number): number | undefined {
  return value === undefined ? undefined : value / divisor;
}

const BYTES_PER_KB = 1024;

/** One line of /proc/meminfo, in bytes: `MemTotal:       1024 kB`. Format: proc_meminfo(5). */
export function meminfoBytes(meminfo: string | undefined, key: string): number | undefined {
  const [, kilobytes] = new RegExp(`^${key}: +(\\d+) kB$`, 'm').exec(meminfo ?? '') ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * BYTES_PER_KB;
}

/** How many files a process may have open, from /proc/<pid>/limits: the soft limit, -1 for none. */
export function openFilesLimit(limits: string | undefined): number | undefined {
  const [, soft] = /^Max open files +(\S+)/m.exec(limits ?? '') ?? [];
  return soft === 'unlimited' ? -1 : numberIn(soft);
}

export interface DeviceCounters {
  readonly device: string;
  readonly counters: readonly number[];
}

/** Lines of `  eth0: 1 2 3 …` in /proc/<pid>/net/dev: what was received, in eight numbers, then what was sent. */
export function networkDevices(netDev: string | undefined): DeviceCounters[] {
  return (netDev ?? '').split('\n').flatMap((line) => {
    // The last colon: an alias such as eth0:1 has one in its name.
    const colon = line.lastIndexOf(':');
    if (colon === -1) return [];
    return [{ device: line.slice(0, colon).trim(), counters: numbersIn(line.slice(colon + 1)) }];
  });
}

/** Lines of `254 0 vda 1 2 3 …` in /proc/diskstats. Format: the kernel's iostats.rst. */
export function blockDevices(diskstats: string | undefined): (DeviceCounters & { readonly majorMinor: string })[] {
  return (diskstats ?? '').split('\n').flatMap((line) => {
    const [, major, minor, device, numbers = ''] = /^ *(\d+) +(\d+) (\S+)(.*)$/.exec(line) ?? [];
    return device === undefined ? [] : [{ device, counters: numbersIn(numbers), majorMinor: `${major}:${minor}` }];
  });
}

function numbersIn(text: string): number[] {
  return text.trim().split(/ +/).map(Number);
}
