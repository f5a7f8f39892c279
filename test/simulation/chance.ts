/** A history from a seed. Each seed lets only some kinds of things happen, so that quiet runs and wild ones both come up. */
import { bucketDefinitions } from '../../bus/bucket-definitions.ts';
import type { Happening, HappeningKind, HappeningOf, History, HistoryEntry } from './happenings.ts';
import { imageKinds, soundKinds } from './world/images.ts';
import { Random } from './world/random.ts';

export interface ClusterSize {
  readonly minutes: number;
  readonly nodes: number;
  readonly services: number;
}

const FIRST_AT_MS = 5_000;
/** The share of a run in which things happen; in the rest everything heals. */
const EVENTFUL_SHARE = 0.65;
/** The share of runs in which nothing goes wrong but what users do. */
const CALM_SHARE = 0.15;
/** The share of a run's eventful part in which services are created. */
const CREATION_SHARE = 0.25;
/** The share of services that run on each node. */
const GLOBAL_SHARE = 0.15;
/** The share of services that are jobs; of the others, those that write to a volume, and those with kin. */
const JOB_SHARE = 0.12;
const VOLUME_SHARE = 0.15;
const KIN_SHARE = 0.1;
/** The share of runs with faults in which many buckets are lost at once. */
const GREAT_LOSS_SHARE = 0.06;
/** Numbers like any other. */
const POLICIES = 0x5eed;
const CHARACTERS = 0xca57;
const SHORTEST_MS = 300;
const LONGEST_MS = 45_000;

const faultKinds = [
  'drain',
  'crash',
  'freeze',
  'nats',
  'cut',
  'cut-pair',
  'link',
  'bucket',
  'clock',
  'engine',
  'container',
] as const satisfies readonly HappeningKind[];
type FaultKind = (typeof faultKinds)[number];

const wishKinds = ['update', 'scale', 'roll-back', 'remove'] as const;

export function historyOf(seed: number, size: ClusterSize): History {
  const random = new Random(seed);
  const coordinators = Math.min(size.nodes, random.chance(0.25) ? 3 : 2);
  const maker = new HistoryMaker(seed, random, size, coordinators);
  return { seed, minutes: size.minutes, nodes: size.nodes, coordinators, entries: maker.entries() };
}

class HistoryMaker {
  private readonly random: Random;
  /** Apart, so that what was added later changes nothing else that follows from a seed. */
  private readonly policies: Random;
  private readonly characters: Random;
  private readonly jobs = new Set<number>();
  private readonly size: ClusterSize;
  private readonly coordinators: number;
  private readonly services: number;
  private readonly endMs: number;

  constructor(seed: number, random: Random, size: ClusterSize, coordinators: number) {
    this.random = random;
    this.policies = new Random(seed ^ POLICIES);
    this.characters = new Random(seed ^ CHARACTERS);
    this.size = size;
    this.coordinators = coordinators;
    this.services = random.between(1, random.chance(0.3) ? size.services : Math.min(8, size.services));
    this.endMs = size.minutes * 60_000 * EVENTFUL_SHARE;
  }

  entries(): HistoryEntry[] {
    const { random } = this;
    const enabled = faultKinds.filter(() => random.chance(0.4));
    const isCalm = enabled.length === 0 || random.chance(CALM_SHARE);
    const faults = isCalm ? 0 : random.between(1, 20);
    const wishes = random.between(0, 2 * this.services);
    const all = [
      ...this.times(this.services, (index) => this.creation(index), this.endMs * CREATION_SHARE),
      ...this.times(wishes, () => this.wish(), this.endMs),
      ...this.times(faults, () => this.fault(random.pick(enabled) ?? 'container'), this.endMs),
      ...(isCalm || !this.characters.chance(GREAT_LOSS_SHARE) ? [] : [this.greatLoss()]),
    ];
    return all.sort((a, b) => a.atMs - b.atMs);
  }

  private times(count: number, make: (index: number) => Happening, latestMs: number): HistoryEntry[] {
    return Array.from({ length: count }, (_, index) => {
      const atMs = this.random.between(FIRST_AT_MS, latestMs);
      return { atMs, happening: make(index) };
    });
  }

  private creation(service: number): Happening {
    const { random } = this;
    const creation: Omit<HappeningOf<'create'>, 'failover'> = {
      kind: 'create',
      service,
      image: random.chance(0.9) ? random.pick(soundKinds) : random.pick(imageKinds),
      replicas: random.between(0, 4),
      global: random.chance(GLOBAL_SHARE),
      startsFirst: random.chance(0.4),
      parallelism: random.between(0, 2),
      onFailure: random.pick(['pause', 'continue', 'rollback']),
    };
    return { ...creation, ...this.failover(), ...this.character(service) };
  }

  /** What makes it another kind of service than most. */
  private character(service: number): Partial<HappeningOf<'create'>> {
    const { characters } = this;
    if (characters.chance(JOB_SHARE)) {
      this.jobs.add(service);
      return { image: 'ending', job: { concurrent: characters.between(1, 3) } };
    }
    const volume = characters.chance(VOLUME_SHARE) ? { volume: { mayMove: characters.chance(0.3) } } : {};
    const other = characters.between(0, this.services - 1);
    if (!characters.chance(KIN_SHARE) || other === service) return volume;
    return { ...volume, kin: { how: characters.pick(['near', 'apart']), service: other } };
  }

  private greatLoss(): HistoryEntry {
    const { characters } = this;
    const of = characters.pick(['leader', 'all'] as const);
    const how = characters.pick(['wiped', 'recreated', 'restored'] as const);
    return { atMs: characters.between(FIRST_AT_MS, this.endMs), happening: { kind: 'buckets', of, how } };
  }

  private failover(): Pick<HappeningOf<'create'>, 'failover'> {
    const { policies } = this;
    if (policies.chance(0.5)) return {};
    const onDisconnect = policies.pick(['keep', 'stop'] as const);
    return { failover: { onDisconnect, afterMs: 1_000 * policies.between(onDisconnect === 'stop' ? 7 : 0, 15) } };
  }

  private wish(): Happening {
    const { random } = this;
    const service = random.between(0, this.services - 1);
    const kind = random.pick(wishKinds);
    if (kind === 'scale') return { kind, service, replicas: random.between(0, 5) };
    if (kind !== 'update') return { kind, service };
    const image = random.chance(0.8) ? random.pick(soundKinds) : random.pick(imageKinds);
    const version = random.between(1, 3);
    return { kind, service, image: this.jobs.has(service) ? 'ending' : image, version };
  }

  private fault<K extends FaultKind>(kind: K): HappeningOf<K> {
    const makers: { [F in FaultKind]: () => HappeningOf<F> } = {
      drain: () => ({ kind: 'drain', host: this.host(), forMs: this.lasting() }),
      crash: () => {
        const what = this.random.pick(['agent', 'coordinator', 'engine', 'host'] as const);
        return { kind: 'crash', what, host: this.hostOf(what), forMs: this.lasting() };
      },
      freeze: () => {
        const what = this.random.pick(['agent', 'coordinator', 'engine'] as const);
        return { kind: 'freeze', what, host: this.hostOf(what), forMs: this.lasting() };
      },
      nats: () => {
        const how = this.random.pick(['crashes', 'freezes', 'has no leader', 'lags'] as const);
        return { kind: 'nats', how, forMs: Math.min(this.lasting(), 20_000) };
      },
      cut: () => ({ kind: 'cut', host: this.host(), forMs: this.lasting() }),
      'cut-pair': () => ({ kind: 'cut-pair', ...this.pair(), forMs: this.lasting() }),
      link: () => ({
        kind: 'link',
        host: this.host(),
        how: this.random.pick(['slow', 'loses', 'repeats', 'reorders', 'has gaps', 'forgets acknowledgements']),
        forMs: this.lasting(),
      }),
      bucket: () => ({
        kind: 'bucket',
        bucket: this.random.pick(Object.keys(bucketDefinitions) as (keyof typeof bucketDefinitions)[]) ?? 'task',
        how: this.random.pick(['wiped', 'recreated', 'purged', 'restored']),
      }),
      clock: () => ({ kind: 'clock', host: this.host(), byMs: this.random.between(-300_000, 300_000) }),
      engine: () => ({
        kind: 'engine',
        host: this.host(),
        how: this.random.pick(['fails to start', 'fails to stop', 'loses answers', 'breaks events', 'hides events']),
        forMs: this.lasting(),
      }),
      container: () => ({
        kind: 'container',
        host: this.host(),
        index: this.random.between(0, 9),
        how: this.random.pick(['exits', 'oom', 'unhealthy']),
      }),
    };
    return makers[kind]();
  }

  private host(): string {
    return `h${this.random.between(1, this.size.nodes)}`;
  }

  private pair(): { host: string; other: string } {
    const host = this.random.between(1, this.size.nodes);
    const other = ((host + this.random.between(0, Math.max(0, this.size.nodes - 2))) % this.size.nodes) + 1;
    return { host: `h${host}`, other: `h${other}` };
  }

  private hostOf(what: 'agent' | 'coordinator' | 'engine' | 'host'): string {
    return what === 'coordinator' ? `h${this.random.between(1, this.coordinators)}` : this.host();
  }

  /** Short more often than long. */
  private lasting(): number {
    return Math.round(SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** this.random.next());
  }
}
