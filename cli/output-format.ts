/** `--format`: for people or for programs. */
import { type Command, Option } from 'commander';
import type { Terminal } from './terminal.ts';

export type OutputFormat = 'table' | 'json';

export function addFormatOption(command: Command): Command {
  return command.addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'));
}

/** Prints an answer: as one JSON document, or as the text for people that `asText` makes of it. */
export function print<T>(terminal: Terminal, format: OutputFormat, answer: T, asText: (answer: T) => string): void {
  terminal.out(format === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : asText(answer));
}
