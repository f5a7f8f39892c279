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
  /** A lab beside others; without one it is what the environment names (LAB_NAME, LAB_SUBNET). */
  readonly place?: LabPlace;
}

/** What sets labs on one machine apart. */
export interface LabPlace {
  readonly name: string;
  /** The first three numbers of its /24. */
  readonly subnet: string;
}

export interface LabHost {
  readonly name: string;
  readonly address: string;
  /** Path of the host's own Docker Engine socket. */
  readonly engineSocket: string;
}

/** A running lab; `clusterSocket` is where the docker CLI drives the cluster. */
export interface Lab {
  readonly name: string;
  readonly hosts: readonly LabHost[];
  readonly clusterSocket: string;
  readonly plimUrl: string;
  /** Runs `scripts/lab WORDS` and answers its standard output; throws with its standard error. */
  command(...words: string[]): Promise<string>;
  down(): Promise<void>;
}

type LabCommand = (...words: string[]) => Promise<string>;

/** `scripts/lab WORDS`: standard output; the lab's own words when it fails. */
export function labCommand(...words: string[]): Promise<string> {
  return labCommandAt()(...words);
}

/** `scripts/lab` for the lab of a place, with further environment variables for what it starts. */
export function labCommandAt(place?: LabPlace, more: Readonly<Record<string, string>> = {}): LabCommand {
  const { DOCKER_HOST: _, ...inherited } = process.env;
  const named = { LAB_NAME: place?.name, LAB_SUBNET: place?.subnet, LAB_DIR: `/var/lib/plimsoll-${place?.name}` };
  const env = { ...(place === undefined ? process.env : { ...inherited, ...named }), ...more };
  return async (...words) => {
    const options = { maxBuffer: 16 << 20, env };
    const { stdout } = await run(join(packageRoot(), 'scripts', 'lab'), words, options);
    return stdout;
  };
}

/** Brings a lab up (a lab that is there is taken down first, so that nothing is left from before). */
export async function labUp(options: LabOptions): Promise<Lab> {
  await labCommandAt(options.place)('down');
  return labEnsured(options);
}

/** Brings a lab up, or back to what it was asked for: what died is started again. */
export async function labEnsured(options: LabOptions): Promise<Lab> {
  const command = labCommandAt(options.place);
  const flags = (['hosts', 'modern', 'coordinators'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, String(options[name])],
  );
  await command('up', '--engine', options.engine, ...flags);
  return describeLab(await command('env'), command);
}

/** The lab behind the exports that `scripts/lab env` prints. */
export function describeLab(exports: string, command: LabCommand = labCommand): Lab {
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
    name: values.get('LAB_NAME') ?? '',
    hosts,
    clusterSocket: socketOf('DOCKER_HOST'),
    plimUrl: values.get('PLIM_URL') ?? '',
    command,
    down: async () => {
      await command('down');
    },
  };
}
