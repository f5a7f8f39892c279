/** The lab (scripts/lab) as tests and benchmarks use it: several real hosts, each with its own Docker Engine. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../runtime/version.ts';

const run = promisify(execFile);

export interface LabOptions {
  readonly engine: 'plimsoll' | 'swarm' | 'none';
  readonly hosts?: number;
  readonly modern?: number;
  readonly coordinators?: number;
}

export interface LabHost {
  readonly name: string;
  readonly address: string;
  /** Path of the host's own Docker Engine socket. */
  readonly engineSocket: string;
}

/** A running lab; `clusterSocket` is where the docker CLI drives the cluster. */
export interface Lab {
  readonly hosts: readonly LabHost[];
  readonly clusterSocket: string;
  readonly plimUrl: string;
  /** Runs `scripts/lab WORDS` and answers its standard output; throws with its standard error. */
  command(...words: string[]): Promise<string>;
  down(): Promise<void>;
}

/** `scripts/lab WORDS`: standard output; the lab's own words when it fails. */
export async function labCommand(...words: string[]): Promise<string> {
  const { stdout } = await run(join(packageRoot(), 'scripts', 'lab'), words, { maxBuffer: 16 << 20 });
  return stdout;
}

/** Brings a lab up (a lab that is there is taken down first, so that nothing is left from before). */
export async function labUp(options: LabOptions): Promise<Lab> {
  await labCommand('down');
  const flags = (['hosts', 'modern', 'coordinators'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, String(options[name])],
  );
  await labCommand('up', '--engine', options.engine, ...flags);
  return describeLab(await labCommand('env'));
}

/** The lab behind the exports that `scripts/lab env` prints. */
export function describeLab(exports: string): Lab {
  const values = new Map<string, string>();
  for (const line of exports.split('\n')) {
    const match = /^(?:export )?(\w+)=["']?([^"']*)["']?$/.exec(line.trim());
    if (match?.[1] !== undefined) values.set(match[1], match[2] ?? '');
  }
  const socketOf = (name: string) => (values.get(name) ?? '').replace(/^unix:\/\//, '');
  const hosts = (values.get('LAB_HOSTS') ?? '')
    .split(/\s+/)
    .filter((name) => name !== '')
    .map((name) => ({
      name,
      address: values.get(`LAB_ADDR_${name}`) ?? '',
      engineSocket: socketOf(`LAB_DOCKER_${name}`),
    }));
  return {
    hosts,
    clusterSocket: socketOf('DOCKER_HOST'),
    plimUrl: values.get('PLIM_URL') ?? '',
    command: labCommand,
    down: async () => {
      await labCommand('down');
    },
  };
}
