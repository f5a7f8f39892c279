/** What the lease must do wherever its records lie; run on memory and on a real NATS server behind proxies. */
import { expect } from 'vitest';
import { runLease } from '../../bus/lease.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { eventually } from '../support/eventually.ts';
import type { FaultyConnection, FaultyServer } from './faulty-server.ts';
import { sideBySide } from './side-by-side.ts';

interface Term {
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly holdsLease: () => boolean;
}

interface Candidate {
  readonly connection: FaultyConnection;
  readonly terms: Term[];
  readonly losses: string[];
  stop(): Promise<void>;
}

/** A lease lives 3 s; a candidate looks every quarter of a second. */
const EXPIRED_MS = 15_000;
const SLOW_MS = 30_000;

const leads = ({ terms }: Candidate) => terms.at(-1)?.signal.aborted === false;
const epochOf = ({ terms }: Candidate) => terms.at(-1)?.epoch ?? 0;
const comesToLead = (one: Candidate, timeoutMs = EXPIRED_MS) =>
  eventually(() => leads(one), { timeoutMs, what: 'the candidate leads' });

class Scene {
  readonly server: FaultyServer;
  readonly candidates: Candidate[] = [];

  constructor(server: FaultyServer) {
    this.server = server;
  }

  async candidate(name: string): Promise<Candidate> {
    const candidate = stand(name, await this.server.connect());
    this.candidates.push(candidate);
    return candidate;
  }

  get leaders(): Candidate[] {
    return this.candidates.filter(leads);
  }

  /** Those who hold the lease by their own clocks: at no moment more than one. */
  get holders(): Candidate[] {
    return this.candidates.filter(({ terms }) => terms.some(({ holdsLease }) => holdsLease()));
  }

  somebodyLeads(): Promise<Candidate> {
    return eventually(() => this.leaders[0], { timeoutMs: EXPIRED_MS, what: 'somebody leads' });
  }
}

/** Declares the tests, each with a server of its own from `start`: they mostly wait, so they run side by side. */
export function leaseContract(start: () => Promise<FaultyServer>, atATime: number): void {
  const declare = sideBySide(atATime);
  const test = (name: string, work: (scene: Scene) => Promise<void>) =>
    declare(name, async () => {
      const scene = new Scene(await start());
      try {
        await work(scene);
      } finally {
        await Promise.all(scene.candidates.map((candidate) => candidate.stop()));
        await scene.server.stop();
      }
    });

  test('of several candidates one leads, renews, and the others wait', async (scene) => {
    await Promise.all([scene.candidate('a'), scene.candidate('b'), scene.candidate('c')]);
    const leader = await scene.somebodyLeads();
    const view = await leader.connection.buckets.leases.watch();

    await eventually(() => (view.entries.get('leader')?.value.renewal ?? 0) >= 4, {
      timeoutMs: SLOW_MS,
      what: 'four renewals',
    });

    expect(scene.leaders).toEqual([leader]);
    expect(scene.candidates.flatMap(({ losses }) => losses)).toEqual([]);
  });

  test('a leader that stops gives the lease back, and the next leads with a higher epoch', async (scene) => {
    const first = await scene.candidate('a');
    await comesToLead(first);
    const second = await scene.candidate('b');

    await first.stop();

    await comesToLead(second);
    expect(epochOf(second)).toBeGreaterThan(epochOf(first));
    expect(first.losses).toEqual(['the coordinator stops']);
  });

  test('a leader whose process ends is followed before its lease ends: nobody answers for it', async (scene) => {
    const first = await scene.candidate('a');
    await comesToLead(first);
    const second = await scene.candidate('b');
    const view = await second.connection.buckets.leases.watch();

    await first.connection.bus.close();
    await comesToLead(second);

    // Had the lease ended, a view could not have seen it overwritten.
    expect(view.entries.get('leader')?.value).toMatchObject({ holderId: 'b', epoch: epochOf(second) });
    expect(epochOf(second)).toBeGreaterThan(epochOf(first));
  });

  test('a leader behind a cut cable stops by its own clock before the next one begins', async (scene) => {
    const first = await scene.candidate('a');
    await comesToLead(first);
    const second = await scene.candidate('b');

    first.connection.cut();
    await eventually(
      () => {
        expect(scene.holders.length).toBeLessThanOrEqual(1);
        return leads(second);
      },
      { timeoutMs: 3 * EXPIRED_MS, intervalMs: 5, what: 'the next one leads' },
    );

    expect(leads(first)).toBe(false);
    expect(first.losses).toHaveLength(1);
    first.connection.heal();
    await eventually(() => first.connection.bus.connected, { timeoutMs: SLOW_MS, what: 'the former leader is back' });
    expect(scene.leaders).toEqual([second]);
  });

  test('a lost acknowledgement of a renewal costs no leadership', async (scene) => {
    const first = await scene.candidate('a');
    await comesToLead(first);
    const view = await first.connection.buckets.leases.watch();
    const before = view.entries.get('leader')?.value.renewal ?? 0;

    first.connection.loseAcknowledgements(1);
    await eventually(() => (view.entries.get('leader')?.value.renewal ?? 0) >= before + 4, {
      timeoutMs: SLOW_MS,
      what: 'four renewals',
    });

    expect(first.losses).toEqual([]);
  });

  test('an emptied bucket of the lease gives no epoch twice', async (scene) => {
    await Promise.all([scene.candidate('a'), scene.candidate('b')]);
    await scene.somebodyLeads();

    await scene.server.purge('plim_lease');

    const terms = () => scene.candidates.flatMap((one) => one.terms.map(({ epoch }) => epoch));
    await eventually(() => terms().length === 2 && scene.leaders.length === 1, {
      timeoutMs: SLOW_MS,
      what: 'one leads again',
    });
    expect(new Set(terms()).size).toBe(2);
    expect(epochOf(await scene.somebodyLeads())).toBe(Math.max(...terms()));
  });

  test('a leader whose server was killed leads again, with a higher epoch', async (scene) => {
    const first = await scene.candidate('a');
    await comesToLead(first);

    await scene.server.kill();
    await scene.server.restart();

    await eventually(() => leads(first) && first.terms.length === 2, {
      timeoutMs: 3 * EXPIRED_MS,
      what: 'it leads again',
    });
    expect(first.terms[1]?.epoch).toBeGreaterThan(first.terms[0]?.epoch ?? 0);
  });
}

function stand(name: string, connection: FaultyConnection): Candidate {
  const ending = new AbortController();
  const terms: Term[] = [];
  const losses: string[] = [];
  const running = runLease(
    {
      bus: connection.bus,
      buckets: connection.buckets,
      clock: systemClock,
      log: createLog('test', 'silent'),
      holder: { coordinatorId: name, nodeId: `node-of-${name}` },
    },
    {
      onLead: (epoch, signal, holdsLease) => terms.push({ epoch, signal, holdsLease }),
      onLose: (_epoch, reason) => losses.push(reason),
    },
    ending.signal,
  );
  const stop = async () => {
    ending.abort();
    await running;
  };
  return { connection, terms, losses, stop };
}
