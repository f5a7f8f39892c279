/** A registry on a lab host's loopback (engines ask those without TLS) that has no image, each for a reason of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Cluster } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';

const PORT = 5000;

/** References it refuses, by why. */
export const refusedImages = {
  unknown: `127.0.0.1:${PORT}/unknown/app:1`,
  private: `127.0.0.1:${PORT}/private/app:1`,
  limited: `127.0.0.1:${PORT}/limited/app:1`,
  /** Nothing listens there. */
  unreachable: `127.0.0.1:${PORT + 1}/any/app:1`,
} as const;

const program = `
  const refusals = {
    unknown: [404, 'MANIFEST_UNKNOWN', 'manifest unknown'],
    private: [401, 'UNAUTHORIZED', 'authentication required'],
    limited: [429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit'],
  };
  require('node:http').createServer((request, response) => {
    const refusal = refusals[request.url.split('/')[2]];
    if (refusal === undefined) return response.end('{}');
    const [status, code, message] = refusal;
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ errors: [{ code, message }] }));
  }).listen(${PORT}, '127.0.0.1', () => console.log('listening'));`;

export interface RefusingRegistry {
  stop(): void;
}

export async function startRefusingRegistry(cluster: Cluster, host: string): Promise<RefusingRegistry> {
  const namespace = `/run/netns/${cluster.lab.name}-${host}`;
  const child = spawn('nsenter', [`--net=${namespace}`, process.execPath, '-e', program]);
  await isListening(child);
  return { stop: () => void child.kill() };
}

async function isListening(child: ChildProcess): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  await eventually(() => output.includes('listening') || Promise.reject(new Error(output)), {
    timeoutMs: 30_000,
    what: 'the registry to listen',
  });
}
