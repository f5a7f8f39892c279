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
  return lines.trim().split('\n').map(oneCommand);
}

export function oneCommand(line: string): ComparedCommand {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  return { name: line.trim(), args: words };
}

/** A command that comes again is counted: its answer may have changed meanwhile. */
export function withOwnNames(commands: readonly ComparedCommand[]): ComparedCommand[] {
  const times = new Map<string, number>();
  return commands.map((command) => {
    const time = (times.get(command.name) ?? 0) + 1;
    times.set(command.name, time);
    return time === 1 ? command : { ...command, name: `${command.name} (${time})` };
  });
}
