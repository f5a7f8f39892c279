/** One docker command both clusters are driven with. */
export interface ComparedCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** Repeat until the output matches: what a cluster needs a moment for. */
  readonly until?: RegExp;
  /** Parts that may differ: which of two equal slots goes, how often a client looked. */
  readonly ignored?: RegExp;
}

/** Commands that need no more than a name: the words of the command line are the name. */
export function plainCommands(lines: string): ComparedCommand[] {
  const words = (line: string) =>
    [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  return lines
    .trim()
    .split('\n')
    .map((line) => ({ name: line.trim(), args: words(line) }));
}
