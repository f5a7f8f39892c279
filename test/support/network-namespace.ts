/** A small network of Linux namespaces for tests: a host with a bridge of containers, and a client outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type CommandRunner, runHostCommand, runSuccessfully } from '../../agent/network/command-runner.ts';
import type { ProcFiles } from '../../agent/network/loopback-routing.ts';

/** Runs programs inside a named network namespace. */
export function runnerIn(namespace: string): CommandRunner {
  return (program, args, stdin) =>
    runHostCommand('nsenter', [`--net=/run/netns/${namespace}`, program, ...args], stdin);
}

/** /proc as a process inside the namespace sees it. */
export function procFilesIn(namespace: string): ProcFiles {
  const run = runnerIn(namespace);
  return {
    read: (path) => runSuccessfully(run, 'cat', [path]),
    write: async (path, text) => void (await runSuccessfully(run, 'tee', [path], text)),
  };
}

/** Starts a program inside the namespace and resolves with its first line of output. */
export async function startIn(namespace: string, program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

/** Runs lines of shell as root in the test's own namespace; the first failing one throws. */
export function shell(script: string): Promise<string> {
  return runSuccessfully(runHostCommand, 'sh', ['-ec', script]);
}
