/** A place in a network from which programs are run: a host, a container or a client, each a network namespace. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A program that was started and what it prints. */
export type StartedProgram = ChildProcessByStdio<null, Readable, Readable>;

export class Spot {
  readonly address: string;
  private readonly namespace: string;

  /** `namespace`: the path of its network namespace; `address`: where others reach it. */
  constructor(namespace: string, address: string) {
    this.namespace = namespace;
    this.address = address;
  }

  /** Runs a program to its end; answers what it printed. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const child = this.spawn(program, args);
    const [[code], out, problems] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
    if (code === 0) return out;
    throw new Error(`"${program} ${args.join(' ')}" ended with ${code}: ${problems || out}`);
  }

  /** Runs lines of shell; the first that fails throws. */
  shell(script: string): Promise<string> {
    return this.run('sh', '-ec', script);
  }

  /** Starts a program that goes on until it is killed; resolves when it has printed something. */
  async start(program: string, ...args: readonly string[]): Promise<StartedProgram> {
    const child = this.spawn(program, args);
    await Promise.race([once(child.stdout, 'readable'), failed(child, program)]);
    return child;
  }

  private spawn(program: string, args: readonly string[]): StartedProgram {
    return spawn('nsenter', [`--net=${this.namespace}`, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

async function failed(child: StartedProgram, program: string): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`${program} ended with ${code} before it said anything`);
}
