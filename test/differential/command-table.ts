/** The docker commands both clusters are driven with, in order, from an empty cluster of two hosts. */
import { lifecycleCommands } from './commands/lifecycle.ts';
import { nodeCommands } from './commands/nodes.ts';
import { objectCommands } from './commands/objects.ts';
import { readingCommands } from './commands/reading.ts';
import { refusalCommands } from './commands/refusals.ts';
import { resourceCommands } from './commands/resources.ts';
import { type ComparedCommand, withOwnNames } from './compared-command.ts';

export const comparedCommands: readonly ComparedCommand[] = withOwnNames([
  ...nodeCommands,
  ...refusalCommands,
  ...lifecycleCommands,
  ...readingCommands,
  ...objectCommands,
  ...resourceCommands,
]);
