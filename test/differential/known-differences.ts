/** differences.md: where Plimsoll may answer otherwise, and what it then says. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface KnownDifference {
  readonly title: string;
  /** Names of the commands it is about. */
  readonly commands: RegExp;
  /** What Plimsoll's output must match. */
  readonly plimsoll: RegExp;
}

export function knownDifferences(): KnownDifference[] {
  const text = readFileSync(fileURLToPath(new URL('differences.md', import.meta.url)), 'utf8');
  const [, ...sections] = text.split(/^## /m);
  return sections.map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    commands: patternAfter('Commands', section),
    plimsoll: patternAfter('Plimsoll', section),
  }));
}

function patternAfter(word: string, section: string): RegExp {
  const pattern = new RegExp(`^${word}: \`(.+)\`$`, 'm').exec(section)?.[1];
  if (pattern === undefined) throw new Error(`differences.md: no line "${word}: \`...\`" in: ${section}`);
  return new RegExp(pattern);
}
