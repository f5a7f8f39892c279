/**
 * Loaded into a daemon under measurement with `node --import`: a unix socket beside the program that tells what it costs.
 * It does nothing until asked, so the program is measured as it is; the program itself knows nothing of it.
 */
import { createServer, type Socket } from 'node:net';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import type { Cost, ProbeRequest, Stalls } from './probe.ts';

const RESOLUTION_MS = 1;
const NS_PER_MS = 1e6;

let delays: IntervalHistogram | undefined;

function cost(): Cost {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
}

/** The delay histogram records the time between two turns of a 1 ms timer: what is above that is a stall. */
function stalls(histogram: IntervalHistogram | undefined): Stalls {
  const above = (ns: number) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  if (!histogram || histogram.count === 0) return { longestMs: 0, p99Ms: 0 };
  return { longestMs: above(histogram.max), p99Ms: above(histogram.percentile(99)) };
}

/** A full collection, so that only what is still in use counts. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

function answer(request: ProbeRequest): Cost | Stalls | null {
  switch (request) {
    case 'cost':
      return cost();
    case 'cost-without-garbage':
      collectGarbage();
      return cost();
    case 'watch-stalls':
      delays?.disable();
      delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      delays.enable();
      return null;
    case 'stalls': {
      const seen = stalls(delays);
      delays?.disable();
      delays = undefined;
      return seen;
    }
  }
}

function serve(path: string): void {
  const server = createServer((socket: Socket) => {
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (line: string) => socket.write(`${JSON.stringify(answer(line.trim() as ProbeRequest))}\n`));
  });
  server.unref();
  server.listen(path);
}

const socketPath = process.env.PLIMSOLL_BENCH_PROBE;
const isDaemon = ['agent', 'coordinator'].includes(process.argv[2] ?? '');
if (socketPath && isDaemon && isMainThread) serve(socketPath);
