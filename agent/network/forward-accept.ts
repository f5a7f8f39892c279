/**
 * Docker drops forwarded traffic it did not publish itself. One rule in DOCKER-USER, the chain Docker keeps for others
 * and never flushes, lets through what our table translated. Docker uses whichever `iptables` it finds, so do we.
 */
import { type CommandRunner, runSuccessfully } from './command-runner.ts';
import { INGRESS_MARK } from './mesh/peer-numbers.ts';
import { OVERLAY_MARK } from './overlay/overlay-table.ts';

/** In the order Docker would meet them; the two backends keep separate rules. */
const iptablesPrograms = ['iptables', 'iptables-nft', 'iptables-legacy'] as const;

/** A rule of DOCKER-USER, as words of iptables. */
export type AcceptRule = readonly string[];

/** Connections to published ports, which our table translated. */
export const ingressAccept: AcceptRule = ruleOf(
  `-m conntrack --ctstate DNAT -m connmark --mark ${masked(INGRESS_MARK)}`,
  'plimsoll-ingress',
);
/** Packets between containers of the cluster's networks, which our table let pass. */
export const overlayAccept: AcceptRule = ruleOf(`-m mark --mark ${masked(OVERLAY_MARK)}`, 'plimsoll-overlay');

function ruleOf(match: string, comment: string): AcceptRule {
  return `DOCKER-USER ${match} -m comment --comment ${comment} -j ACCEPT`.split(' ');
}

function masked(bit: number): string {
  return `0x${bit.toString(16)}/0x${bit.toString(16)}`;
}

/**
 * Makes sure the rule is there. Answers `false` when no iptables backend has Docker's chain: the engine is not up yet
 * or runs with `--iptables=false`, and then drops nothing either.
 */
export async function ensureForwardAccepted(run: CommandRunner, rule: AcceptRule): Promise<boolean> {
  const program = await programWithDockerChain(run);
  if (program === undefined) return false;
  const present = await run(program, ['-w', '-C', ...rule]);
  if (present.exitCode !== 0) await runSuccessfully(run, program, ['-w', '-I', ...rule]);
  return true;
}

/** True where the rule is there, and where Docker has no chain for it. */
export async function isForwardAccepted(run: CommandRunner, rule: AcceptRule): Promise<boolean> {
  const program = await programWithDockerChain(run);
  return program === undefined || (await run(program, ['-w', '-C', ...rule])).exitCode === 0;
}

/** Takes the rule away. */
export async function removeForwardAccept(run: CommandRunner, rule: AcceptRule): Promise<void> {
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
