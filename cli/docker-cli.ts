/** The docker CLI, where its own files are to be changed (contexts), and where it does what nobody should do anew (stacks). */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import type { ClusterDocker } from './monitoring/monitoring-stack.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;
const CLUSTER_TIMEOUT_MS = 120_000;

/** Without the caller's DOCKER_HOST and DOCKER_CONTEXT, which would turn the context off. */
async function docker(...args: string[]): Promise<string> {
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = process.env;
  try {
    return (await run('docker', args, { env, timeout: TIMEOUT_MS })).stdout;
  } catch (error) {
    throw new PlimsollError('unavailable', `docker ${args.join(' ')} failed: ${messageOf(error)}`, { cause: error });
  }
}

export async function dockerContexts(): Promise<string[]> {
  return (await docker('context', 'ls', '--quiet')).split('\n').filter(Boolean);
}

/** Makes the context point at the socket, whatever it pointed at before. */
export async function writeDockerContext(name: string, socket: string): Promise<'created' | 'updated' | 'unchanged'> {
  const host = `unix://${socket}`;
  const exists = (await dockerContexts()).includes(name);
  if (exists && (await contextHost(name)) === host) return 'unchanged';
  const verb = exists ? 'update' : 'create';
  const description = 'Plimsoll: the whole cluster as one engine';
  await docker('context', verb, name, '--description', description, '--docker', `host=${host}`);
  return exists ? 'updated' : 'created';
}

async function contextHost(name: string): Promise<string> {
  return (await docker('context', 'inspect', '--format', '{{.Endpoints.docker.Host}}', name)).trim();
}

/** Also when it is the one in use: docker then falls back to its default. */
export async function removeDockerContext(name: string): Promise<void> {
  if ((await dockerContexts()).includes(name)) await docker('context', 'rm', '--force', name);
}

/** The docker CLI against the cluster behind a coordinator's socket; throws with docker's own words. */
export function clusterDocker(socket: string): ClusterDocker {
  const { DOCKER_CONTEXT: _context, ...inherited } = process.env;
  return (args, { input, environment = {} } = {}) => {
    const env = { ...inherited, ...environment, DOCKER_HOST: `unix://${socket}` };
    return new Promise((resolve, reject) => {
      const child = execFile('docker', [...args], { env, timeout: CLUSTER_TIMEOUT_MS }, (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const why = stderr.trim() || messageOf(error);
        reject(
          new PlimsollError('unavailable', `docker ${args.slice(0, 2).join(' ')} failed: ${why}`, { cause: error }),
        );
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  };
}
