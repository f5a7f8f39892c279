/** `plim join`: this host becomes a node of a cluster. */
import type { Command } from 'commander';
import { z } from 'zod';
import { systemClock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { engineProblem } from '../host/engine.ts';
import { joinLocally, joinRemotely } from '../host/join-cluster.ts';
import { currentBuild, currentPlim } from '../host/plim-program.ts';
import { unitHostOf } from '../host/this-host.ts';
import { agentUnit, dnsUnit } from '../host/units.ts';
import {
  AbsolutePath,
  addStateDirOption,
  DEFAULT_DOCKER,
  DEFAULT_SOCKET,
  DEFAULT_STATE_DIR,
  Switch,
  settingsOf,
} from '../settings.ts';
import type { Terminal } from '../terminal.ts';

const JoinSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  docker: z.string().default(DEFAULT_DOCKER),
  address: z.ipv4().optional(),
  local: Switch.default(false),
  start: Switch.default(true),
});
type JoinSettings = z.infer<typeof JoinSettings>;

const examples = `
Examples:
  plim join PLIM-1-... 192.0.2.1        the line "plim token" prints on a coordinator's host
  plim join --local                     on the coordinator's own host

A host that joined already stays what it is.`;

export function addJoinCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('join')
    .description('make this host a node of a cluster')
    .argument('[token]', 'what "plim token -q" prints')
    .argument('[address]', "the coordinator's address, with :port if it is not 4222");
  addStateDirOption(command)
    .option('--docker <url>', `this host's Docker Engine (default "${DEFAULT_DOCKER}")`)
    .option('--address <address>', 'IPv4 address other hosts reach this one at (default: found out)')
    .option('--local', 'join the cluster whose coordinator runs on this host')
    .option('--no-start', 'do not start the agent: something else runs "plim agent"')
    .addHelpText('after', examples)
    .action((token: string | undefined, address: string | undefined, _flags: unknown, given: Command) =>
      joinHost({ token, address }, settingsOf(JoinSettings, given), terminal),
    );
}

interface JoinTarget {
  readonly token: string | undefined;
  readonly address: string | undefined;
}

async function joinHost(target: JoinTarget, settings: JoinSettings, terminal: Terminal): Promise<void> {
  requireTarget(target, settings);
  if (settings.start) await requireEngine(settings.docker);
  const nodeId = await nodeIdFor(target, settings);
  if (settings.start) await startAgentUnit(settings);
  terminal.out(`This host is node ${nodeId}.\n`);
}

async function requireEngine(url: string): Promise<void> {
  const problem = await engineProblem(url);
  if (problem === undefined) return;
  throw new PlimsollError(
    'unavailable',
    `No Docker Engine at ${url}: ${problem}. Start it, or name another with --docker`,
  );
}

function requireTarget({ token, address }: JoinTarget, { local }: JoinSettings): void {
  if (local ? token === undefined : token !== undefined && address !== undefined) return;
  throw new PlimsollError(
    'invalid',
    'Wanted is "plim join TOKEN ADDRESS" or "plim join --local"; see plim join --help',
  );
}

function nodeIdFor({ token = '', address = '' }: JoinTarget, { local, stateDir }: JoinSettings): Promise<string> {
  return local ? joinLocally(stateDir, systemClock) : joinRemotely(stateDir, token, address, systemClock);
}

async function startAgentUnit({ stateDir, docker, address }: JoinSettings): Promise<void> {
  const program = currentPlim();
  const layout = { program, build: currentBuild(), stateDir, socket: DEFAULT_SOCKET, address, docker };
  const units = unitHostOf(stateDir);
  await units.apply(dnsUnit(layout));
  await units.apply(agentUnit(layout));
}
