/** What a container's own packets meet: asked from inside its network, answered as plain values. */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type CommandRunner, runSuccessfully } from '../command-runner.ts';

export interface PathQuestions {
  /** Asked of the container's resolver, unless it is an address already. */
  readonly name: string | undefined;
  readonly tcp: readonly { readonly address: string; readonly port: number }[];
  /** Datagrams to a port nobody listens on: the kernel at the other end says so, which proves the way there and back. */
  readonly udp: readonly { readonly address: string; readonly bytes: number }[];
}

/** `open`, the kernel's word for why not, or `timeout`. */
const Outcome = z.string();
export const PathAnswers = z.object({
  /** Addresses, or the resolver's word for why there are none. */
  name: z.union([z.array(z.string()), z.string()]).optional(),
  tcp: z.array(Outcome),
  /** `ECONNREFUSED` where the datagram arrived. */
  udp: z.array(Outcome),
});
export type PathAnswers = z.infer<typeof PathAnswers>;

/** Asks from the network of the process `pid`. Throws when the container's network cannot be entered. */
export type PathProbe = (pid: number, questions: PathQuestions) => Promise<PathAnswers>;

export function createPathProbe(run: CommandRunner): PathProbe {
  const program = fileURLToPath(new URL(`./path-probe-program${extname(import.meta.url)}`, import.meta.url));
  return async (pid, questions) => {
    const words = [`--net=/proc/${pid}/ns/net`, process.execPath, program, JSON.stringify(questions)];
    return PathAnswers.parse(JSON.parse(await runSuccessfully(run, 'nsenter', words)));
  };
}
