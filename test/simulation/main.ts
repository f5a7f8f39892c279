/** `npm run sim`: runs many seeds on all cores, or replays one with a readable trace. */
import { readFileSync } from 'node:fs';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { historyOf } from './chance.ts';
import { type Command, commandOf, HELP } from './command-line.ts';
import { History } from './happenings.ts';
import { runSeeds } from './many-seeds.ts';
import { run } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

/** Answers whether no invariant was broken. */
async function carryOut(command: Command): Promise<boolean> {
  switch (command.kind) {
    case 'help':
      console.log(HELP);
      return true;
    case 'seeds':
      return (await runSeeds(command)) === 0;
    case 'seed':
      return replay(historyOf(command.seed, command.size), command.traced);
    case 'replay':
      return replay(storedHistory(command.path), command.traced);
  }
}

function storedHistory(path: string): History {
  try {
    return History.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new PlimsollError('invalid', `Cannot replay ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function replay(history: History, traced: boolean): Promise<boolean> {
  withoutMetrics();
  const { violation, settledAfterMs, trace } = await run(history, { traced });
  if (traced) console.log(trace.join('\n'));
  console.log(
    violation ? `BROKEN ${violation.invariant}: ${violation.sentence}` : `ok, settled after ${settledAfterMs} ms`,
  );
  return violation === undefined;
}

async function main(words: readonly string[]): Promise<number> {
  try {
    return (await carryOut(commandOf(words))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof PlimsollError) || error.code !== 'invalid') throw error;
    console.error(error.message);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
