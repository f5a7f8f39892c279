/** Reading the kernel's small text formats. Pure; text that is absent or does not fit gives `undefined`. */

/** Contents of the files of one cgroup by name; a file the kernel does not have is absent. */
export type CgroupFiles = Readonly<Record<string, string | undefined>>;

/** A file with one number; `max` is no number. */
export function numberIn(text: string | undefined): number | undefined {
  const trimmed = text?.trim();
  return trimmed !== undefined && /^-?\d+$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** Lines of `key value`. */
export function keyedNumbers(text: string | undefined): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const line of (text ?? '').split('\n')) {
    const blank = line.indexOf(' ');
    if (blank > 0) numbers.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return numbers;
}

/** A limit as cAdvisor shows it: none is 0. v1 writes "none" as a number near 2^63, v2 as `max`. */
export function limitIn(text: string | undefined): number | undefined {
  if (text?.trim() === 'max') return 0;
  const limit = numberIn(text);
  return limit !== undefined && limit > 2 ** 62 ? 0 : limit;
}

export function countLines(text: string | undefined): number | undefined {
  return text === undefined ? undefined : text.split('\n').filter((line) => line !== '').length;
}

export function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

/** `usage` less what the kernel can drop at once, never below 0: what `docker stats` shows too. */
export function workingSet(usage: number | undefined, inactiveFile: number | undefined): number | undefined {
  return usage === undefined ? undefined : Math.max(0, usage - (inactiveFile ?? 0));
}
