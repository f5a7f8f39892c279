/** Has things happen to a world: each kind of happening, and its end. */
import { type BucketName, bucketDefinitions, leaderBucketNames } from '../../bus/bucket-definitions.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { EngineCallKind } from '../support/fake-engine.ts';
import type { LinkFaults } from '../support/memory-bus/link-faults.ts';
import type { StoreBackup } from '../support/memory-bus/memory-store.ts';
import type { Happening, HappeningKind, HappeningOf } from './happenings.ts';
import type { Operator } from './operator.ts';
import type { SimulatedHost } from './world/host.ts';
import type { World } from './world/world.ts';

/** The user puts lost wishes back from a backup after this long. */
const WISHES_BACK_MS = 15_000;
const BACKUP_EVERY_MS = 45_000;
/** Disturbances that concern every host. */
export const everywhere = 'everywhere';
/** Users' and leader's records were lost or are older than they were. */
export const records = 'records';

const linkFaults: Readonly<Record<HappeningOf<'link'>['how'], Partial<LinkFaults>>> = {
  slow: { minDelayMs: 5, maxDelayMs: 300 },
  loses: { lossShare: 0.2 },
  repeats: { duplicateShare: 0.3 },
  reorders: { minDelayMs: 1, maxDelayMs: 50, reorderShare: 0.3 },
  'has gaps': { watchLossShare: 0.1 },
  'forgets acknowledgements': { acknowledgementLossShare: 0.3 },
};

const allBucketNames = Object.values(bucketDefinitions).map(({ name }) => name);

const changingCalls = ['create', 'start', 'stop', 'remove'] as const satisfies readonly EngineCallKind[];

type Befall = { readonly [K in HappeningKind]: (happening: HappeningOf<K>) => void };

export class Fate {
  private readonly world: World;
  private readonly operator: Operator;
  /** Older contents of every bucket, the oldest first. */
  private readonly backups: ReadonlyMap<BucketName, StoreBackup>[] = [];
  private readonly befall: Befall;

  constructor(world: World, operator: Operator) {
    this.world = world;
    this.operator = operator;
    this.befall = this.ways();
    this.keepBackups();
  }

  happen<K extends HappeningKind>(happening: HappeningOf<K>): void {
    const { kind, ...words } = happening as Happening;
    this.world.trace.note('FATE', kind, words);
    (this.befall[kind] as (happening: HappeningOf<K>) => void)(happening);
  }

  private ways(): Befall {
    const { operator, world } = this;
    return {
      create: (happening) => operator.create(happening),
      update: (happening) => operator.update(happening),
      scale: (happening) => operator.scale(happening),
      'roll-back': (happening) => operator.rollBack(happening),
      remove: (happening) => operator.remove(happening),
      drain: ({ host, forMs }) => this.drain(world.host(host), forMs),
      crash: (happening) => this.crash(happening),
      freeze: (happening) => this.freeze(happening),
      nats: (happening) => this.nats(happening),
      cut: ({ host, forMs }) => {
        world.network.cut(host);
        this.until(forMs, [host], () => world.network.heal(host));
      },
      'cut-pair': ({ host, other, forMs }) => {
        world.network.cutPair(host, other);
        this.until(forMs, [], () => world.network.healPair(host, other));
      },
      link: ({ host, how, forMs }) => {
        world.network.setFaults(host, linkFaults[how]);
        this.until(forMs, [host], () => world.network.setFaults(host));
      },
      bucket: ({ bucket, how }) => this.lose([bucketDefinitions[bucket].name], how),
      buckets: ({ of, how }) => this.lose(of === 'leader' ? leaderBucketNames : allBucketNames, how),
      clock: ({ host, byMs }) => {
        world.host(host).clocks.wallOffsetMs += byMs;
      },
      engine: (happening) => this.engine(happening),
      container: (happening) => this.container(happening),
    };
  }

  /** Notes what is disturbed until then, and has it end. */
  private until(forMs: number, disturbed: readonly string[], end: () => void): void {
    const { time, disturbances, trace } = this.world;
    for (const what of disturbed) disturbances.note(what, time.nowMs, time.nowMs + forMs);
    time.after(forMs, () => {
      trace.note('FATE', 'that is over', { after: forMs });
      end();
    });
  }

  private drain(host: SimulatedHost, forMs: number): void {
    const { time, drained } = this.world;
    drained.note(host.name, time.nowMs, time.nowMs + forMs);
    this.operator.setAvailability(host.nodeId, 'drain');
    this.until(forMs, [host.name], () => this.operator.setAvailability(host.nodeId, 'active'));
  }

  private crash({ what, host: name, forMs }: HappeningOf<'crash'>): void {
    const { world } = this;
    const host = world.host(name);
    if (!host.isUp) return;
    switch (what) {
      case 'agent':
        host.killAgent();
        world.helpless.note(name, world.time.nowMs, world.time.nowMs + forMs);
        return this.until(forMs, [name], () => host.startAgent());
      case 'coordinator':
        host.killCoordinator();
        world.leaderless.note(name, world.time.nowMs, world.time.nowMs + forMs);
        return this.until(forMs, [], () => host.startCoordinator());
      case 'engine':
        host.engine.crash();
        return this.until(forMs, [name], () => host.isUp && host.engine.restart());
      case 'host':
        host.powerOff();
        return this.until(forMs, [name], () => host.powerOn());
    }
  }

  private freeze({ what, host: name, forMs }: HappeningOf<'freeze'>): void {
    const host = this.world.host(name);
    if (what === 'engine') {
      host.engine.hang();
      return this.until(forMs, [name], () => host.engine.unhang());
    }
    host.freeze(what);
    const { helpless, leaderless, time } = this.world;
    (what === 'agent' ? helpless : leaderless).note(name, time.nowMs, time.nowMs + forMs);
    this.until(forMs, what === 'agent' ? [name] : [], () => host.thaw(what));
  }

  private nats({ how, forMs }: HappeningOf<'nats'>): void {
    const { server } = this.world.network;
    switch (how) {
      case 'crashes':
        server.crash();
        return this.until(forMs, [everywhere], () => server.restart());
      case 'freezes':
        server.freeze();
        return this.until(forMs, [everywhere], () => server.thaw());
      case 'has no leader':
        server.hasJetStreamLeader = false;
        return this.until(forMs, [everywhere], () => {
          server.hasJetStreamLeader = true;
        });
      case 'lags':
        server.followerLagMs = forMs;
        return this.until(forMs, [], () => {
          server.followerLagMs = 0;
        });
    }
  }

  private lose(names: readonly BucketName[], how: HappeningOf<'bucket'>['how']): void {
    const { time, disturbances } = this.world;
    disturbances.note(records, time.nowMs, time.nowMs + WISHES_BACK_MS);
    for (const name of names) this.loseBucket(name, how);
  }

  private loseBucket(name: BucketName, how: HappeningOf<'bucket'>['how']): void {
    const { server } = this.world.network;
    const before = server.backup(name);
    const older = this.backups[0]?.get(name);
    if (name === 'plim_spec') {
      this.operator.doubt();
      this.world.wishesLost = true;
    }
    if (how === 'restored') {
      if (name === 'plim_task') this.noteRevived(before, older);
      return server.recreate(name, older);
    }
    if (how === 'wiped') server.wipe(name);
    else if (how === 'recreated') server.recreate(name);
    else server.store(name).purge();
    if (name !== 'plim_spec') return;
    this.until(WISHES_BACK_MS, [everywhere], () => {
      this.operator.doubt();
      server.recreate(name, before);
    });
  }

  /** An older bucket brings back assignments that were over. */
  private noteRevived(before: StoreBackup, older: StoreBackup | undefined): void {
    const isThere = (backup: StoreBackup, key: string) => backup.messages.get(key)?.deleted === false;
    for (const key of older?.messages.keys() ?? []) {
      if (older && isThere(older, key) && !isThere(before, key)) this.world.revivedTasks.add(key.replace(/^.*\./, ''));
    }
  }

  private engine(happening: HappeningOf<'engine'>): void {
    const { host: name, how, forMs } = happening;
    const { engine } = this.world.host(name);
    switch (how) {
      case 'fails to start':
        return this.failing(happening, ['create', 'start']);
      case 'fails to stop':
        return this.failing(happening, ['stop', 'remove']);
      case 'loses answers':
        for (const call of changingCalls) engine.loseAnswers(call, 1);
        return this.until(forMs, [name], () => engine.loseNoAnswers());
      case 'breaks events':
        engine.breakEvents();
        return;
      case 'hides events':
        engine.tellsEvents = false;
        return this.until(forMs, [name], () => {
          engine.tellsEvents = true;
        });
    }
  }

  private failing({ host, forMs }: HappeningOf<'engine'>, calls: readonly EngineCallKind[]): void {
    const { engine } = this.world.host(host);
    for (const call of calls) engine.failures.set(call, new PlimsollError('internal', 'the engine fails'));
    this.until(forMs, [host], () => {
      for (const call of calls) engine.failures.delete(call);
    });
  }

  private container({ host, index, how }: HappeningOf<'container'>): void {
    const { engine } = this.world.host(host);
    const { running } = engine;
    const container = running[index % Math.max(1, running.length)];
    if (!container) return;
    const { time, disturbances } = this.world;
    disturbances.note(host, time.nowMs, time.nowMs);
    if (how === 'unhealthy') engine.setHealth(container.id, 'unhealthy');
    else engine.exit(container.id, how === 'oom' ? 137 : 1, how === 'oom');
  }

  private keepBackups(): void {
    const { server } = this.world.network;
    this.backups.push(new Map(allBucketNames.map((name) => [name, server.backup(name)])));
    if (this.backups.length > 2) this.backups.shift();
    this.world.time.after(BACKUP_EVERY_MS, () => this.keepBackups());
  }
}
