/** Other programs of the host (nft, iptables, conntrack) behind one small interface, so that tests need none of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program and waits for its end; a non-zero exit is an answer, not an error.
 * Throws `precondition` when there is no such program and `timeout` when it does not end in time.
 */
export type CommandRunner = (program: string, args: readonly string[], stdin?: string) => Promise<CommandResult>;

const COMMAND_TIMEOUT_MS = 10_000;

/** Runs a program of this host in this process's own network namespace. */
export const runHostCommand: CommandRunner = async (program, args, stdin = '') => {
  const child = spawn(program, args, { timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    const [exitCode] = await once(child, 'close');
    const [stdout, stderr] = await output;
    if (exitCode === null) throw timeoutError(program, args);
    return { exitCode, stdout, stderr };
  } catch (error) {
    throw isMissingProgram(error) ? missingProgramError(program, error) : error;
  }
};

/** `runner`, but a non-zero exit throws `internal` with what the program said. Answers standard output. */
export async function runSuccessfully(
  runner: CommandRunner,
  program: string,
  args: readonly string[],
  stdin?: string,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runner(program, args, stdin);
  if (exitCode === 0) return stdout;
  throw new PlimsollError('internal', `"${program} ${args.join(' ')}" ended with ${exitCode}: ${stderr.trim()}`);
}

function isMissingProgram(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function missingProgramError(program: string, cause: unknown): PlimsollError {
  return new PlimsollError('precondition', `Cannot run ${program}: it is not on the PATH (${messageOf(cause)})`, {
    cause,
  });
}

function timeoutError(program: string, args: readonly string[]): PlimsollError {
  return new PlimsollError('timeout', `"${program} ${args.join(' ')}" did not end within ${COMMAND_TIMEOUT_MS} ms`);
}
