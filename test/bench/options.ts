/** The options of a benchmark: what is wrong with them is said in words, and nothing begins. */
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';

/** Options and their defaults: a number takes a whole number, `format` table or json, any other text what it is told. */
export type Defaults = Readonly<Record<string, string | number>> & { readonly format: 'table' };

export type Chosen<T extends Defaults> = { readonly [name in keyof T]: T[name] extends number ? number : string };

/** Throws an error for people when an option is unknown or its value none. */
export function chosenOptions<T extends Defaults>(args: readonly string[], defaults: T): Chosen<T> {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, { type: 'string' as const, default: String(value) }]),
  );
  const { values } = parseArgs({ args: [...args], options });
  const chosen = Object.entries(defaults).map(([name, value]) => [name, valueOf(name, values[name], typeof value)]);
  return Object.fromEntries(chosen) as Chosen<T>;
}

/** The options of this process. `--help` prints them and ends it with 0, a wrong one ends it with 2. */
export function readOptions<T extends Defaults>(command: string, defaults: T): Chosen<T> {
  const args = process.argv.slice(2);
  const known = Object.entries(defaults).map(([name, value]) => `[--${name} ${value}]`);
  const usage = `Usage: npm run ${command} -- ${known.join(' ')}   (values shown are the defaults; see docs/benchmarks.md)\n`;
  if (args.includes('--help')) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    return chosenOptions(args, defaults);
  } catch (error) {
    process.stderr.write(`${command}: ${messageOf(error)}\n${usage}`);
    process.exit(2);
  }
}

/** "0,30,200" as numbers. */
export function wholeNumbers(name: string, list: string): number[] {
  return list.split(',').map((word) => wholeNumber(name, word));
}

function valueOf(name: string, text: unknown, kind: string): string | number {
  const value = String(text);
  if (kind === 'number') return wholeNumber(name, value);
  if (name === 'format' && value !== 'table' && value !== 'json')
    throw new Error(`Cannot print as --format "${value}": use table or json`);
  return value;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`Cannot use --${name} "${text}": wanted are whole numbers`);
  return Number(text);
}
