/**
 * Loaded into an agent with `node --import`, in a run of its own before the measurement: writes down which files a scrape
 * reads, so that the bare reads read just these. `PLIMSOLL_BENCH_RECORD` names the socket: each connection gets what was
 * read since the last one.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import type { FileOperation } from '../agent/file-operation.ts';

type AnyFunction = (...args: readonly unknown[]) => unknown;
type Functions = Record<string, AnyFunction>;

const kindsByFunction: Readonly<Record<string, FileOperation['kind']>> = {
  readFileSync: 'read',
  readFile: 'read',
  readdirSync: 'list',
  readdir: 'list',
  opendirSync: 'list',
  opendir: 'list',
  readlinkSync: 'link',
  readlink: 'link',
  statSync: 'stat',
  lstatSync: 'stat',
  stat: 'stat',
  lstat: 'stat',
  statfsSync: 'statfs',
  statfs: 'statfs',
};

class Recorder {
  private operations: FileOperation[] = [];
  /** Files kept open between scrapes. */
  private readonly pathsByDescriptor = new Map<number, string>();

  take(): FileOperation[] {
    return this.operations.splice(0);
  }

  watch(functions: Functions): void {
    for (const [name, kind] of Object.entries(kindsByFunction)) {
      this.wrap(functions, name, (args) => this.note(kind, args[0]));
    }
    this.wrap(functions, 'openSync', ([path], descriptor) => {
      if (typeof descriptor === 'number') this.pathsByDescriptor.set(descriptor, String(path));
    });
    this.wrap(functions, 'readSync', ([descriptor, , , , position]) => {
      // Only the first part of a file counts: what follows is the same file.
      if (position === 0 || position === undefined || position === null) this.noteDescriptor(Number(descriptor));
    });
    this.wrap(functions, 'open', ([path]) => this.note('read', path));
  }

  private wrap(functions: Functions, name: string, seen: (args: readonly unknown[], result: unknown) => void): void {
    const original = functions[name];
    if (!original) return;
    functions[name] = (...args) => {
      const result = original.apply(functions, [...args]);
      seen(args, result);
      return result;
    };
  }

  private note(kind: FileOperation['kind'], path: unknown): void {
    if (typeof path === 'number') this.noteDescriptor(path);
    else this.operations.push({ kind, path: String(path) });
  }

  private noteDescriptor(descriptor: number): void {
    const path = this.pathsByDescriptor.get(descriptor);
    if (path !== undefined && this.operations.at(-1)?.path !== path) this.operations.push({ kind: 'read', path });
  }
}

function record(socketPath: string): void {
  const recorder = new Recorder();
  recorder.watch(fs as unknown as Functions);
  recorder.watch(fs.promises as unknown as Functions);
  syncBuiltinESMExports();
  const server = createServer((socket) => socket.end(JSON.stringify(recorder.take())));
  server.unref();
  server.listen(socketPath);
}

const socketPath = process.env.PLIMSOLL_BENCH_RECORD;
if (socketPath && process.argv[2] === 'agent' && isMainThread) record(socketPath);
