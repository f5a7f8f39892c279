/** Runs in a container's network: asks what it is told to on its command line, prints the answers. */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import type { PathAnswers, PathQuestions } from './path-probe.ts';

const PATIENCE_MS = 1_500;
/** Docker's resolver in every container of ours, which passes questions on to the host's. */
const CONTAINER_RESOLVER = '127.0.0.11';

async function lookUp(name: string): Promise<string[] | string> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([CONTAINER_RESOLVER]);
  return resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
}

function knock(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => resolve('open'));
    socket.setTimeout(PATIENCE_MS, () => resolve('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('connect', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
  });
}

/** Two tries: the kernel at the other end may be sparing with its answers. */
async function throwAt(address: string, bytes: number): Promise<string> {
  const first = await throwOnce(address, bytes);
  return first === 'timeout' ? throwOnce(address, bytes) : first;
}

function throwOnce(address: string, bytes: number): Promise<string> {
  const socket = createSocket('udp4');
  const port = 33_434 + (process.pid % 1_000);
  return new Promise<string>((resolve) => {
    const late = setTimeout(() => resolve('timeout'), PATIENCE_MS);
    const over = (error: NodeJS.ErrnoException | null) => {
      if (!error) return;
      clearTimeout(late);
      resolve(error.code ?? error.message);
    };
    socket.on('error', over);
    socket.connect(port, address, () => socket.send(Buffer.alloc(bytes), over));
  }).finally(() => socket.close());
}

const questions = JSON.parse(process.argv[2] ?? '') as PathQuestions;
const [name, tcp, udp] = await Promise.all([
  questions.name === undefined ? undefined : lookUp(questions.name),
  Promise.all(questions.tcp.map(({ address, port }) => knock(address, port))),
  Promise.all(questions.udp.map(({ address, bytes }) => throwAt(address, bytes))),
]);
const answers: PathAnswers = { ...(name !== undefined && { name }), tcp, udp };
process.stdout.write(JSON.stringify(answers));
