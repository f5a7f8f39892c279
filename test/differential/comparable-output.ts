/** What of a command's output two clusters can be compared by: ids and times are different in each. Pure. */
import type { CommandResult } from '../support/docker-api-server.ts';

export function comparable({ code, stdout, stderr }: CommandResult, ignored: RegExp | undefined): string {
  const text = `exit code ${code}\n${plain(stdout)}${plain(stderr)}`;
  return ignored === undefined ? text : text.replaceAll(ignored, '');
}

function plain(text: string): string {
  return text
    .replaceAll(/\b(?=[a-z0-9]*[0-9])[a-z0-9]{25}\b/g, '<id>')
    .split('\n')
    .map((line) => (line.startsWith('{') ? sortedJson(line) : line))
    .join('\n');
}

/** The order of keys is no one's business. */
function sortedJson(line: string): string {
  const sorted = (_key: string, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => left.localeCompare(right)))
      : value;
  return JSON.stringify(JSON.parse(line), sorted, 1);
}
