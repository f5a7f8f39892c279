/** Subject patterns made ready to be asked often. */
import { matchesPattern } from '../../../bus/raw-bucket.ts';

export type Matches = (subject: string) => boolean;

/** As `matchesPattern`, without cutting the common patterns into tokens at each question. */
export function compilePattern(pattern: string): Matches {
  if (!/[*>]/.test(pattern)) return (subject) => subject === pattern;
  if (pattern === '>') return () => true;
  if (/^[^*>]+\.>$/.test(pattern)) {
    const prefix = pattern.slice(0, -1);
    return (subject) => subject.length > prefix.length && subject.startsWith(prefix);
  }
  if (/^[^*>]+\.\*$/.test(pattern)) {
    const prefix = pattern.slice(0, -1);
    return (subject) => subject.startsWith(prefix) && !subject.includes('.', prefix.length);
  }
  return (subject) => matchesPattern(pattern, subject);
}
