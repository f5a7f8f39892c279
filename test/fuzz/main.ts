/**
 * `npm run fuzz -- --requests 100000 --seed 7`: requests nobody should send, to both APIs in a process of their own. Ends with
 * 1 on an answer that is none, a hang, a crash, or when the process needs over 10 MB more after all of them than after the
 * first 10,000 (or half of them, if there are fewer).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { messageOf } from '../../runtime/errors.ts';
import { answerTo, complaintAbout } from './answers.ts';
import { type FuzzRequest, requestsTo, streamingRoutes } from './requests.ts';
import type { TargetMemory, TargetReady } from './target-process.ts';

const MIB = 1024 * 1024;
const MAY_GROW_BYTES = 10 * MIB;
const AT_ONCE = 8;
const WARMING_UP = 10_000;
const things = { names: ['h1', 'h2', 'web', 'main', 'bridge'] };

const USAGE = 'Usage: npm run fuzz -- [--requests 100000] [--seed 1]';
const { total, seed } = settings();

const target = fork(fileURLToPath(new URL('./target-process.js', import.meta.url)), {
  execArgv: ['--expose-gc'],
  serialization: 'json',
});
const life = { ended: false };
target.once('exit', () => {
  life.ended = true;
});
const ready = (await heard(target)) as TargetReady;
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const socket = { socketPath: ready.socketPath, agent };
const places = [
  { where: socket, requests: requestsTo(ready.routes.docker, things) },
  { where: socket, requests: requestsTo(ready.routes.local, things) },
  { where: { host: '127.0.0.1', port: ready.pagesPort, agent }, requests: requestsTo(ready.routes.readOnly, things) },
];
const complaints: string[] = [];

const first = Math.min(WARMING_UP, Math.floor(total / 2));
const early = await fireAndWeigh(first, seed);
const late = await fireAndWeigh(total - first, seed + 1);
const grownBytes = late.residentBytes - early.residentBytes;
target.removeAllListeners('exit');
target.disconnect();
agent.destroy();

for (const complaint of complaints.slice(0, 20)) process.stdout.write(`${complaint}\n`);
const grown = (grownBytes / MIB).toFixed(1);
process.stdout.write(
  `${total} requests, ${complaints.length} complaints, memory ${grown} MB more than after ${first}\n`,
);
process.exitCode = complaints.length > 0 || grownBytes > MAY_GROW_BYTES ? 1 : 0;

async function fireAndWeigh(count: number, batchSeed: number): Promise<TargetMemory> {
  const queues = places.map(({ where, requests }, index) => ({
    where,
    requests: fc.sample(requests, { seed: batchSeed + index, numRuns: 1_000 }),
  }));
  let sent = 0;
  const worker = async () => {
    while (sent < count && !life.ended) {
      const number = sent;
      sent += 1;
      const queue = queues[number % queues.length];
      const request = queue?.requests[Math.floor(number / queues.length) % 1_000];
      if (queue && request) await fire(queue.where, request);
      if (number % 30_000 === 29_999) refill(queues, batchSeed + number);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (life.ended) throw new Error(`The APIs' process ended; seed ${seed}, after ${sent} requests`);
  target.send('weigh');
  const memory = (await heard(target)) as TargetMemory;
  process.stdout.write(`${sent} requests: ${JSON.stringify(memory)}\n`);
  return memory;
}

/** New requests now and then: making them costs more than answering them. */
function refill(queues: { requests: FuzzRequest[] }[], batchSeed: number): void {
  for (const [index, queue] of queues.entries()) {
    const requests = places[index]?.requests;
    if (requests) queue.requests = fc.sample(requests, { seed: batchSeed + index, numRuns: 1_000 });
  }
}

async function fire(where: Parameters<typeof answerTo>[0], request: FuzzRequest): Promise<void> {
  const { method, path } = request.route;
  try {
    const answer = await answerTo(where, request, streamingRoutes.includes(`${method} ${path}`));
    const complaint = complaintAbout(answer);
    if (complaint) complain(request, `${complaint}: ${answer.status} ${answer.body}`);
  } catch (error) {
    // A connection that was kept may be closed under the next request: that one is sent anew by every client.
    if (error instanceof Error && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code))) return;
    complain(request, String(error));
  }
}

function complain(request: FuzzRequest, words: string): void {
  complaints.push(`${words.slice(0, 300)}\n  ${JSON.stringify(request).slice(0, 500)}`);
}

async function heard(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message');
  return message;
}

function settings(): { readonly total: number; readonly seed: number } {
  try {
    const { values } = parseArgs({
      options: {
        requests: { type: 'string', default: '100000' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    return { total: positive('--requests', values.requests), seed: positive('--seed', values.seed) };
  } catch (error) {
    process.stderr.write(`fuzz: ${messageOf(error)}\n${USAGE}\n`);
    process.exit(2);
  }
}

function positive(option: string, value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${option} must be a whole number above 0, not ${value}`);
  return number;
}
