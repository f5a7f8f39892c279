/**
 * `npm run soak`: half an hour on a loaded machine with a small trouble each minute, and no false alarm. Needs root
 * (scripts/lab makes real hosts). The seed that is printed draws the same troubles again.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';
import { Random } from '../simulation/world/random.ts';
import { labUp } from '../support/lab.ts';
import { type SoakRound, soak, soakTable } from './soak.ts';

const USAGE = `Usage: npm run soak [-- --minutes 30] [--every SECONDS] [--load 8] [--seed N] [--lab NAME=SUBNET]

Ends with 1 when anything was lost, doubled or restarted.`;

interface Settings {
  readonly minutes: number;
  readonly everySeconds: number;
  readonly load: number;
  readonly seed: number;
  readonly lab: string;
}

function readSettings(): Settings | undefined {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      every: { type: 'string', default: '60' },
      load: { type: 'string', default: '8' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      lab: { type: 'string', default: 'soak=10.99.64' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    minutes: positive('--minutes', values.minutes),
    everySeconds: positive('--every', values.every),
    load: positive('--load', values.load),
    seed: positive('--seed', values.seed),
    lab: values.lab,
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`Cannot use ${option} '${text}': wanted is a number above 0`);
  return value;
}

function told({ number, disturbance, loadAverage, alarms }: SoakRound): string {
  const outcome = alarms.length === 0 ? 'ok    ' : 'ALARM ';
  return [
    `${outcome} ${number}  ${disturbance} (load ${loadAverage})`,
    ...alarms.map((alarm) => `          ${alarm}`),
  ].join('\n');
}

async function run({ minutes, everySeconds, load, seed, lab: place }: Settings): Promise<void> {
  const [name = '', subnet = ''] = place.split('=');
  process.stdout.write(`soak: ${minutes} min, seed ${seed}\n`);
  const lab = await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, coordinators: 2, place: { name, subnet } });
  try {
    const rounds = await soak({
      lab,
      lots: new Random(seed),
      rounds: Math.round((minutes * 60) / everySeconds),
      roundMs: everySeconds * 1_000,
      loadAverage: load,
      onRound: (round) => process.stdout.write(`${told(round)}\n`),
    });
    const alarmed = rounds.filter(({ alarms }) => alarms.length > 0).length;
    process.stdout.write(
      `\n${soakTable(rounds)}\n\n${rounds.length} rounds, ${alarmed} with false alarms, seed ${seed}\n`,
    );
    process.exitCode = alarmed > 0 ? 1 : 0;
  } finally {
    await lab.down();
  }
}

async function main(): Promise<void> {
  const settings = readSettings();
  if (settings === undefined) process.stdout.write(`${USAGE}\n`);
  else await run(settings);
}

await main().catch((error: unknown) => {
  process.stderr.write(`soak: error: ${messageOf(error)}\n`);
  process.exitCode = 2;
});
