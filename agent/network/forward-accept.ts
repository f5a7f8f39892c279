/**
 * Docker drops forwarded traffic it did not publish itself. One rule in DOCKER-USER, the chain Docker keeps for others
 * and never flushes, lets through what our table translated. Docker uses whichever `iptables` it finds, so do we.
 */
import { type CommandRunner, runSuccessfully } from './command-runner.ts';
import { INGRESS_MARK } from './ingress-table.ts';

/** In the order Docker would meet them; the two backends keep separate rules. */
const iptablesPrograms = ['iptables', 'iptables-nft', 'iptables-legacy'] as const;
const mark = `0x${INGRESS_MARK.toString(16)}/0x${INGRESS_MARK.toString(16)}`;
const rule =
  `DOCKER-USER -m conntrack --ctstate DNAT -m connmark --mark ${mark} -m comment --comment plimsoll-ingress -j ACCEPT`.split(
    ' ',
  );

/**
 * Makes sure the rule is there. Answers `false` when no iptables backend has Docker's chain: the engine is not up yet
 * or runs with `--iptables=false`, and then drops nothing either.
 */
export async function ensureForwardAccepted(run: CommandRunner): Promise<boolean> {
  const program = await programWithDockerChain(run);
  if (program === undefined) return false;
  const present = await run(program, ['-w', '-C', ...rule]);
  if (present.exitCode !== 0) await runSuccessfully(run, program, ['-w', '-I', ...rule]);
  return true;
}

/** Takes the rule away. */
export async function removeForwardAccept(run: CommandRunner): Promise<void> {
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
