/** What of a command's output two clusters can be compared by: ids, times and digests are different in each. Pure. */
import type { CommandResult } from '../support/docker-api-server.ts';

export function comparable({ code, stdout, stderr }: CommandResult, ignored: RegExp | undefined): string {
  const text = `exit code ${code}\n${plain(stdout)}${plain(stderr)}`;
  return ignored === undefined ? text : text.replaceAll(ignored, '');
}

const replacements: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z0-9]{25}\b/g, '<id>'],
  // One id in fifty has no digit, so that any word of twelve letters has to count.
  [/\b[a-z0-9]{12}\b/g, '<short id>'],
  [/\b[0-9a-f]{64}\b/g, '<digest>'],
  [/\b\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| ?[+-]\d{4}(?: \+0000)? UTC)/gi, '<time>'],
  [/(?:Less than a|About a|About an|\d+) (?:second|minute|hour)s? ago/g, '<time> ago'],
  [/"Index": ?\d+/g, '"Index": <number>'],
];

function plain(text: string): string {
  const withoutIds = replacements.reduce((before, [pattern, word]) => before.replaceAll(pattern, word), text);
  return withoutIds
    .split('\n')
    .map((line) => (line.startsWith('{') ? sortedJson(line) : line.replaceAll(/ {2,}/g, '  ').trimEnd()))
    .join('\n');
}

/** The order of keys is no one's business. */
function sortedJson(line: string): string {
  const sorted = (_key: string, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => left.localeCompare(right)))
      : value;
  try {
    return JSON.stringify(JSON.parse(line), sorted, 1);
  } catch {
    return line;
  }
}
