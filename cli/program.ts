/** `plim`: its commands put together, and what becomes of their errors. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../runtime/errors.ts';
import { programVersion } from '../runtime/version.ts';
import { addAgentCommand } from './commands/agent.ts';
import { addContextCommand } from './commands/context.ts';
import { addCoordinatorCommand } from './commands/coordinator.ts';
import { addDownCommand } from './commands/down.ts';
import { addEventsCommand } from './commands/events.ts';
import { addJoinCommand } from './commands/join.ts';
import { addLeaveCommand } from './commands/leave.ts';
import { addNatsCommand } from './commands/nats.ts';
import { addStatusCommand } from './commands/status.ts';
import { addSuperviseCommand } from './commands/supervise.ts';
import { addTokenCommand } from './commands/token.ts';
import { addUpCommand } from './commands/up.ts';
import { addWhyCommand } from './commands/why.ts';
import { exitCodeHelp, exitCodeOf, exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const epilogue = `
Drive the cluster itself with the docker CLI: docker context use plimsoll
Every option can also be set in the environment: --state-dir is PLIMSOLL_STATE_DIR.

${exitCodeHelp}`;

export function createProgram(terminal: Terminal): Command {
  const program = new Command('plim')
    .description('Plimsoll: what docker has no word for')
    .version(programVersion(), '-V, --version')
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .addHelpText('after', epilogue)
    .exitOverride();
  program.commandsGroup('Cluster:');
  addUpCommand(program, terminal);
  addDownCommand(program, terminal);
  addStatusCommand(program, terminal);
  addWhyCommand(program, terminal);
  addEventsCommand(program, terminal);
  addContextCommand(program, terminal);
  program.commandsGroup('Hosts:');
  addTokenCommand(program, terminal);
  addJoinCommand(program, terminal);
  addLeaveCommand(program, terminal);
  program.commandsGroup('Daemons (started by "plim up" and "plim join"):');
  addCoordinatorCommand(program);
  addAgentCommand(program);
  addNatsCommand(program);
  addSuperviseCommand(program);
  return program;
}

/** Runs one command line; answers the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    terminal.err(`plim: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}
