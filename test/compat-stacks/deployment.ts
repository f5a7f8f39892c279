/** One stack file on a cluster: what it needs made before, deployed, waited for, taken away again. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { messageOf } from '../../runtime/errors.ts';
import { eventually } from '../support/eventually.ts';
import type { RunnableStack } from './stand-in.ts';

const COMMAND_MS = 60_000;

export interface Deployment {
  readonly services: number;
  readonly tasks: number;
  readonly seconds: number;
}

export interface DeployOptions {
  /** The docker CLI. */
  readonly program: string;
  readonly socket: string;
  /** Gets the labels constraints ask for. */
  readonly worker: string;
  readonly withinMs: number;
}

/** Answers once every service has all its tasks running; throws with what `docker stack ps` shows when that takes too long. */
export async function deployStack(stack: RunnableStack, options: DeployOptions): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-stack-'));
  const docker = (...args: string[]) => run(args, stack, folder, options);
  try {
    writeFiles(stack, folder);
    await prepare(stack, docker, options.worker);
    const startedAtMs = Date.now();
    await docker('stack', 'deploy', '--resolve-image', 'never', '--compose-file', 'stack.yml', 'compat');
    const shown = await converged(docker, options.withinMs);
    return { ...shown, seconds: (Date.now() - startedAtMs) / 1000 };
  } finally {
    await clear(stack, docker, options.worker);
    rmSync(folder, { recursive: true });
  }
}

type Docker = (...args: string[]) => Promise<string>;

function writeFiles({ yaml, files }: RunnableStack, folder: string): void {
  writeFileSync(join(folder, 'stack.yml'), yaml);
  for (const file of files) {
    const path = join(folder, normalize(join('/', file)));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'STAND=in\n');
  }
}

async function prepare({ external, nodeLabels }: RunnableStack, docker: Docker, worker: string): Promise<void> {
  for (const name of external.networks) await docker('network', 'create', '--driver', 'overlay', name);
  for (const name of external.volumes) await docker('volume', 'create', name);
  for (const kind of ['secret', 'config'] as const) {
    for (const name of external[`${kind}s`]) await docker(kind, 'create', name, '/etc/hostname');
  }
  const labels = Object.entries(nodeLabels).flatMap(([label, value]) => ['--label-add', `${label}=${value}`]);
  if (labels.length > 0) await docker('node', 'update', ...labels, worker);
}

async function converged(docker: Docker, withinMs: number): Promise<Omit<Deployment, 'seconds'>> {
  const condition = async () => {
    const lines = (await docker('stack', 'services', '--format', '{{.Name}} {{.Replicas}}', 'compat')).split('\n');
    const counts = lines.map((line) => /(\d+)\/(\d+)/.exec(line)).map((match) => [match?.[1], match?.[2]]);
    if (counts.some(([running, wanted]) => running !== wanted)) throw new Error(lines.join('; '));
    return { services: lines.length, tasks: counts.reduce((sum, [running]) => sum + Number(running), 0) };
  };
  try {
    return await eventually(condition, { timeoutMs: withinMs, intervalMs: 500, what: 'all tasks to run' });
  } catch (error) {
    const format = '{{.Name}} {{.CurrentState}} {{.Error}}';
    throw new Error(`${messageOf(error)}\n${await docker('stack', 'ps', '--no-trunc', '--format', format, 'compat')}`, {
      cause: error,
    });
  }
}

/** Whatever of it is there goes; tasks still stopping keep their volumes for a moment. */
async function clear({ external, nodeLabels }: RunnableStack, docker: Docker, worker: string): Promise<void> {
  const quietly = (...args: string[]) => docker(...args).catch(() => '');
  await quietly('stack', 'rm', 'compat');
  const isEmpty = async () =>
    (await docker('ps', '--quiet', '--filter', 'label=com.docker.stack.namespace=compat')) === '';
  await eventually(isEmpty, { timeoutMs: COMMAND_MS, intervalMs: 500, what: 'the stack to be gone' });
  for (const kind of ['network', 'volume', 'secret', 'config'] as const) {
    for (const name of external[`${kind}s`]) await quietly(kind, 'rm', name);
  }
  const labels = Object.keys(nodeLabels).flatMap((label) => ['--label-rm', label]);
  if (labels.length > 0) await quietly('node', 'update', ...labels, worker);
}

function run(
  args: readonly string[],
  { environment }: RunnableStack,
  folder: string,
  { program, socket }: DeployOptions,
): Promise<string> {
  const env = { ...process.env, ...environment, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: '/nonexistent' };
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, cwd: folder, timeout: COMMAND_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(`docker ${args.join(' ')}: ${stderr}${stdout}`));
      else resolve(stdout.trimEnd());
    });
  });
}
