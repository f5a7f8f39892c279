/** What `npm run sim` is asked for: every word checked, so that a slip of the pen does not simulate something else. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { PlimsollError } from '../../runtime/errors.ts';
import type { ClusterSize } from './chance.ts';

export const HELP = `Usage: npm run sim -- [--seeds N] [--from S] [--minutes M] [--nodes N] [--services N]
       npm run sim -- --seed S [--trace] [--minutes M] [--nodes N] [--services N]
       npm run sim -- --replay FILE [--trace]

Simulates whole clusters, one per seed: real agents and coordinators on simulated hosts, engines, NATS and time.
Run "npm run build" before. By default 300 seeds from 1 on, of 10 minutes with 5 nodes and up to 20 services, on all cores.
Exit code 1 when an invariant was broken: the shortest history found is printed and stored for --replay. Exit code 2
when the command was not understood.`;

/** Where a run of one history comes from, or which seeds to run. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'seeds'; readonly from: number; readonly count: number; readonly size: ClusterSize }
  | { readonly kind: 'seed'; readonly seed: number; readonly traced: boolean; readonly size: ClusterSize }
  | { readonly kind: 'replay'; readonly path: string; readonly traced: boolean };

const whole = z
  .string()
  .regex(/^\d{1,10}$/, 'a whole number is wanted')
  .transform(Number);
const between = (least: number, most: number) =>
  whole.refine((given) => given >= least && given <= most, `from ${least} to ${most} is possible`);
const Numbers = z.object({
  seeds: between(1, 1_000_000_000),
  from: whole,
  minutes: between(1, 600),
  nodes: between(1, 100),
  services: between(1, 500),
  seed: whole.optional(),
});

/** Throws `invalid` that names the option and what it may be. */
export function commandOf(words: readonly string[]): Command {
  const { help, trace, replay, ...given } = optionsOf(words);
  if (help) return { kind: 'help' };
  const { seed, seeds, from, ...size } = numbersOf(given);
  if (replay !== undefined && seed !== undefined) throw notUnderstood('--seed and --replay exclude each other');
  if (replay !== undefined) return { kind: 'replay', path: replay, traced: trace };
  if (seed !== undefined) return { kind: 'seed', seed, traced: trace, size };
  if (trace) throw notUnderstood('--trace needs --seed or --replay: the traces of many seeds would be one heap');
  return { kind: 'seeds', from, count: seeds, size };
}

function optionsOf(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        seeds: { type: 'string', default: '300' },
        from: { type: 'string', default: '1' },
        minutes: { type: 'string', default: '10' },
        nodes: { type: 'string', default: '5' },
        services: { type: 'string', default: '20' },
        seed: { type: 'string' },
        replay: { type: 'string' },
        trace: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw notUnderstood(error instanceof Error ? error.message : String(error));
  }
}

function numbersOf(given: Readonly<Record<string, string | undefined>>): z.infer<typeof Numbers> {
  const parsed = Numbers.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `--${name} cannot be ${JSON.stringify(given[name])}: ${message}`;
  });
  throw notUnderstood(wrong.join('; '));
}

function notUnderstood(why: string): PlimsollError {
  return new PlimsollError('invalid', `${why}. See npm run sim -- --help`);
}
