/** Asks a daemon that runs with the preload what it costs. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { extname } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../support/eventually.ts';

export type ProbeRequest = 'cost' | 'cost-without-garbage' | 'watch-stalls' | 'stalls';

/** Of the whole process, all its threads. */
export interface Cost {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

/** Of the main thread's event loop, since it was asked to watch. */
export interface Stalls {
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** The environment that makes a `plim` daemon listen at `socketPath`. */
export function probedEnvironment(socketPath: string): Record<string, string> {
  const preload = fileURLToPath(new URL(`./preload${extname(import.meta.url)}`, import.meta.url));
  return { NODE_OPTIONS: `--import=${preload}`, PLIMSOLL_BENCH_PROBE: socketPath };
}

export class Probe {
  private readonly socket: Socket;
  private readonly lines: Interface;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.lines = createInterface({ input: socket });
  }

  /** Waits for the daemon to listen. */
  static async connect(socketPath: string): Promise<Probe> {
    await eventually(async () => existsSync(socketPath), { timeoutMs: 30_000, what: `${socketPath} is there` });
    const socket = connect(socketPath);
    await once(socket, 'connect');
    return new Probe(socket);
  }

  cost(): Promise<Cost> {
    return this.ask('cost');
  }

  /** Collects all garbage first: changes what it measures, so ask last. */
  costWithoutGarbage(): Promise<Cost> {
    return this.ask('cost-without-garbage');
  }

  async watchStalls(): Promise<void> {
    await this.ask('watch-stalls');
  }

  stalls(): Promise<Stalls> {
    return this.ask('stalls');
  }

  close(): void {
    this.socket.destroy();
  }

  private async ask<T>(request: ProbeRequest): Promise<T> {
    const answered = once(this.lines, 'line');
    this.socket.write(`${request}\n`);
    const [line] = (await answered) as [string];
    return JSON.parse(line) as T;
  }
}
