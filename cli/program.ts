/** `plim`: its commands put together, and what becomes of their errors. */
import { Command, CommanderError } from 'commander';
import { messageOf } from '../runtime/errors.ts';
import { programVersion } from '../runtime/version.ts';
import { exitCodeHelp, exitCodeOf, exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

type AddCommand = (program: Command, terminal: Terminal) => void;

/**
 * Each command by its group and name, loaded when wanted: a daemon's start and a quick `plim status` should not wait for
 * the code of all the others.
 */
const groups: Readonly<Record<string, Readonly<Record<string, () => Promise<AddCommand>>>>> = {
  'Cluster:': {
    up: async () => (await import('./commands/up.ts')).addUpCommand,
    down: async () => (await import('./commands/down.ts')).addDownCommand,
    status: async () => (await import('./commands/status.ts')).addStatusCommand,
    top: async () => (await import('./commands/top.ts')).addTopCommand,
    why: async () => (await import('./commands/why.ts')).addWhyCommand,
    history: async () => (await import('./commands/history.ts')).addHistoryCommand,
    rollback: async () => (await import('./commands/rollback.ts')).addRollbackCommand,
    events: async () => (await import('./commands/events.ts')).addEventsCommand,
    net: async () => (await import('./commands/net.ts')).addNetCommand,
    plan: async () => (await import('./commands/plan.ts')).addPlanCommand,
    autoscale: async () => (await import('./commands/autoscale.ts')).addAutoscaleCommand,
    alerts: async () => (await import('./commands/alerts.ts')).addAlertsCommand,
    monitoring: async () => (await import('./commands/monitoring.ts')).addMonitoringCommand,
    secret: async () => (await import('./commands/secret.ts')).addSecretCommand,
    context: async () => (await import('./commands/context.ts')).addContextCommand,
  },
  'Hosts:': {
    token: async () => (await import('./commands/token.ts')).addTokenCommand,
    join: async () => (await import('./commands/join.ts')).addJoinCommand,
    leave: async () => (await import('./commands/leave.ts')).addLeaveCommand,
    drain: async () => (await import('./commands/drain.ts')).addDrainCommand,
  },
  'Daemons (started by "plim up" and "plim join"):': {
    coordinator: async () => (await import('./commands/coordinator.ts')).addCoordinatorCommand,
    agent: async () => (await import('./commands/agent.ts')).addAgentCommand,
    dns: async () => (await import('./commands/dns.ts')).addDnsCommand,
    nats: async () => (await import('./commands/nats.ts')).addNatsCommand,
    supervise: async () => (await import('./commands/supervise.ts')).addSuperviseCommand,
  },
};

const epilogue = `
Drive the cluster itself with the docker CLI: docker context use plimsoll
Every option can also be set in the environment: --state-dir is PLIMSOLL_STATE_DIR.

${exitCodeHelp}`;

/** The program with the command `wanted` names; with all of them when it names none. */
export async function createProgram(terminal: Terminal, wanted?: string): Promise<Command> {
  const program = new Command('plim')
    .description('Plimsoll: what docker has no word for')
    .version(programVersion(), '-V, --version')
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .addHelpText('after', epilogue)
    .exitOverride();
  const isKnown = Object.values(groups).some((commands) => Object.keys(commands).includes(wanted ?? ''));
  for (const [group, commands] of Object.entries(groups)) {
    program.commandsGroup(group);
    for (const [name, load] of Object.entries(commands)) {
      if (!isKnown || name === wanted) (await load())(program, terminal);
    }
  }
  return program;
}

/** Runs one command line; answers the exit code. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const program = await createProgram(terminal, args[0]);
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    terminal.err(`plim: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}
