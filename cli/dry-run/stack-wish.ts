/** What `docker stack deploy` would ask of the cluster, found out by letting it ask an engine that changes nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StackWish } from '../../model/stack-plan.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { startRecordingEngine } from './recording-engine.ts';

export interface StackFiles {
  readonly stack: string;
  /** As `docker stack deploy -c` takes them. */
  readonly files: readonly string[];
  readonly prune: boolean;
}

const DEPLOY_TIMEOUT_MS = 60_000;

/** Throws `invalid` with the CLI's own words for files it refuses. `note` gets its warnings. */
export async function stackWish(
  { stack, files, prune }: StackFiles,
  clusterSocket: string,
  note: (line: string) => void,
): Promise<StackWish> {
  const folder = mkdtempSync(join(tmpdir(), 'plim-plan-'));
  const socket = join(folder, 'docker.sock');
  const engine = await startRecordingEngine(socket, clusterSocket);
  try {
    const named = files.flatMap((file) => ['--compose-file', file]);
    const options = ['--resolve-image', 'never', ...(prune ? ['--prune'] : [])];
    for (const line of await deploy(['stack', 'deploy', ...options, ...named, stack], socket)) note(line);
    return { stack, ...engine.recorded() };
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true });
  }
}

/** Answers the warnings. A context of the caller's would win over DOCKER_HOST. */
async function deploy(args: readonly string[], socket: string): Promise<string[]> {
  const { DOCKER_CONTEXT: _context, ...environment } = process.env;
  const env = { ...environment, DOCKER_HOST: `unix://${socket}` };
  const input = args.includes('-') ? 'inherit' : 'ignore';
  const child = spawn('docker', [...args], { env, stdio: [input, 'ignore', 'pipe'], timeout: DEPLOY_TIMEOUT_MS });
  const ended = once(child, 'close').catch((error: unknown) => {
    throw new PlimsollError('precondition', `Cannot run the docker CLI: ${messageOf(error)}`, { cause: error });
  });
  const [[exitCode], words] = await Promise.all([ended, text(child.stderr)]);
  if (exitCode === 0) return words.split('\n').filter(isWarning);
  throw new PlimsollError('invalid', `docker ${args.join(' ')} would fail: ${words.trim()}`);
}

/** All but its advice on --detach. */
function isWarning(line: string): boolean {
  return line.trim() !== '' && !/--detach/.test(line);
}
