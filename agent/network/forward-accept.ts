/**
 * Docker drops forwarded traffic it did not publish itself. One rule in DOCKER-USER, the chain Docker keeps for others
 * and never flushes, lets through what our table translated; one in INPUT what containers and nodes send to the host. Docker uses whichever `iptables` it finds, so do we.
 */
import { type CommandRunner, runSuccessfully } from './command-runner.ts';
import { INGRESS_MARK } from './mesh/peer-numbers.ts';
import { OVERLAY_MARK } from './overlay/overlay-table.ts';

/** In the order Docker would meet them; the two backends keep separate rules. */
const iptablesPrograms = ['iptables', 'iptables-nft', 'iptables-legacy'] as const;

/** A rule of iptables' filter table that lets packets through, as words of iptables: the chain first. */
export type AcceptRule = readonly string[];

/** Connections to published ports, which our table translated. */
export const ingressAccept: AcceptRule = ruleOf(
  'DOCKER-USER',
  `-m conntrack --ctstate DNAT -m connmark --mark ${masked(INGRESS_MARK)}`,
  'plimsoll-ingress',
);
/** Packets between containers of the cluster's networks, which our table let pass. */
export const overlayAccept: AcceptRule = ruleOf(
  'DOCKER-USER',
  `-m mark --mark ${masked(OVERLAY_MARK)}`,
  'plimsoll-overlay',
);
/** What containers ask the resolver and nodes send through the tunnel: a host's firewall, ufw's above all, drops it else. */
export const overlayInput: AcceptRule = ruleOf('INPUT', `-m mark --mark ${masked(OVERLAY_MARK)}`, 'plimsoll-overlay');

function ruleOf(chain: string, match: string, comment: string): AcceptRule {
  return `${chain} ${match} -m comment --comment ${comment} -j ACCEPT`.split(' ');
}

function masked(bit: number): string {
  return `0x${bit.toString(16)}/0x${bit.toString(16)}`;
}

/** Where forwarded packets come to Docker's chain; `iptables -F` takes that away as well, and leaves them all dropped. */
const JUMP_TO_DOCKER = ['FORWARD', '-j', 'DOCKER-USER'];

/**
 * Makes sure the rule is there and is asked. Answers `false` when no iptables backend has Docker's chain: the engine is not
 * up yet or runs with `--iptables=false`, and then drops nothing either.
 */
export async function ensureAccepted(run: CommandRunner, rule: AcceptRule): Promise<boolean> {
  const program = await programWithDockerChain(run);
  if (program === undefined) return false;
  const [chain] = rule;
  for (const each of chain === 'DOCKER-USER' ? [JUMP_TO_DOCKER, rule] : [rule]) {
    const present = await run(program, ['-w', '-C', ...each]);
    if (present.exitCode !== 0) await runSuccessfully(run, program, ['-w', '-I', ...each]);
  }
  return true;
}

/** True where the rule is there, and where Docker has no chain for it. */
export async function isAccepted(run: CommandRunner, rule: AcceptRule): Promise<boolean> {
  const program = await programWithDockerChain(run);
  return program === undefined || (await run(program, ['-w', '-C', ...rule])).exitCode === 0;
}

/** Takes the rule away. */
export async function removeAccepted(run: CommandRunner, rule: AcceptRule): Promise<void> {
  const program = await programWithDockerChain(run);
  if (program === undefined) return;
  const present = await run(program, ['-w', '-C', ...rule]);
  if (present.exitCode === 0) await runSuccessfully(run, program, ['-w', '-D', ...rule]);
}

async function programWithDockerChain(run: CommandRunner): Promise<string | undefined> {
  for (const program of iptablesPrograms) {
    const listed = await run(program, ['-w', '-S', 'DOCKER-USER']).catch(() => undefined);
    if (listed?.exitCode === 0) return program;
  }
  return undefined;
}
