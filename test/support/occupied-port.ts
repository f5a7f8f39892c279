/** Another program on a lab's host that holds a TCP port. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

export interface OccupiedPort {
  stop(): void;
}

/** Listens on a port of a host until stopped. */
export async function occupyPort(cluster: Cluster, host: string, port: number): Promise<OccupiedPort> {
  const namespace = `/run/netns/${cluster.lab.name}-${host}`;
  const script = `require('net').createServer().listen(${port}, '0.0.0.0', () => console.log('listening'))`;
  const child = spawn('nsenter', [`--net=${namespace}`, process.execPath, '-e', script]);
  await isListening(child);
  return { stop: () => void child.kill() };
}

async function isListening(child: ChildProcess): Promise<void> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await eventually(() => output.includes('listening'), { what: 'the other program to listen' });
}
