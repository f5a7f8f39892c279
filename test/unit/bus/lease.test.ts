import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runLease } from '../../../bus/lease.ts';
import { LeaseView } from '../../../bus/lease-view.ts';
import { createLog } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type MemoryConnection, MemoryServer } from '../../support/memory-bus.ts';
import { aSubnet, subnetKey } from '../../support/records.ts';

interface Candidate {
  readonly connection: MemoryConnection;
  readonly terms: { epoch: number; signal: AbortSignal; holdsLease: () => boolean }[];
  readonly losses: { epoch: number; reason: string }[];
  stop(): Promise<void>;
}

let clock: FakeClock;
let server: MemoryServer;
let candidates: Candidate[];

function candidate(name: string, clockOfItsOwn = clock): Candidate {
  const connection = server.connect(name);
  const ending = new AbortController();
  const terms: Candidate['terms'] = [];
  const losses: Candidate['losses'] = [];
  const { bus, buckets } = connection;
  const holder = { coordinatorId: name, nodeId: `node-of-${name}` };
  const parts = { bus, buckets, clock: clockOfItsOwn, log: createLog('test', 'silent'), holder };
  const running = runLease(
    parts,
    {
      onLead: (epoch, signal, holdsLease) => terms.push({ epoch, signal, holdsLease }),
      onLose: (epoch, reason) => losses.push({ epoch, reason }),
    },
    ending.signal,
  );
  const made = {
    connection,
    terms,
    losses,
    stop: async () => {
      ending.abort();
      await running;
    },
  };
  candidates.push(made);
  return made;
}

const leaders = () => candidates.filter(({ terms }) => terms.at(-1)?.signal.aborted === false);

/** As if the process had been killed: its connection is gone, it notices nothing. */
async function kill(victim: Candidate): Promise<void> {
  await victim.connection.close();
}

beforeEach(() => {
  clock = new FakeClock();
  server = new MemoryServer({ clock });
  candidates = [];
});
afterEach(() => Promise.all(candidates.map((each) => each.stop())));

describe('runLease()', () => {
  test('makes one of two candidates leader and keeps it for as long as it renews', async () => {
    const first = candidate('a');
    const second = candidate('b');

    await clock.advance(60_000);

    expect(leaders()).toHaveLength(1);
    expect(first.terms.length + second.terms.length).toBe(1);
  });

  test('the next leader takes over within half a second of a kill, with a higher epoch', async () => {
    const first = candidate('a');
    await clock.advance(1_000);
    const second = candidate('b');
    await clock.advance(1_000);
    await kill(first);

    await clock.advance(600);

    expect(second.terms[0]?.epoch).toBeGreaterThan(first.terms[0]?.epoch ?? 0);
  });

  test('a leader that is cut off stops by its own clock before anybody else may begin', async () => {
    const first = candidate('a');
    await clock.advance(1_000);
    first.connection.disconnect();

    await clock.advance(2_500);

    expect(first.terms[0]?.signal.aborted).toBe(true);
    expect(first.losses[0]?.reason).toContain('could not be renewed');
  });

  test('a frozen leader that answers nothing yet listens is followed when its lease ends', async () => {
    const first = candidate('a', new FakeClock());
    await clock.advance(10);
    first.connection.hold();
    const second = candidate('b');

    await clock.advance(2_000);
    expect(second.terms).toHaveLength(0);
    await clock.advance(2_500);

    expect(second.terms).toHaveLength(1);
  });

  test('a leader that was frozen knows at once, before any timer has told it', async () => {
    const ownClock = new FakeClock();
    const frozen = candidate('a', ownClock);
    await ownClock.advance(100);
    const [term] = frozen.terms;
    expect(term?.holdsLease()).toBe(true);

    ownClock.elapsedMs = () => 5_000;

    expect([term?.holdsLease(), term?.signal.aborted]).toEqual([false, false]);
  });

  test('a leader that stops gives the lease back: the next begins at once', async () => {
    const first = candidate('a');
    await clock.advance(100);
    await first.stop();
    const second = candidate('b');

    await clock.advance(10);

    expect(second.terms).toHaveLength(1);
    expect(first.losses[0]?.reason).toBe('the coordinator stops');
  });

  test('epochs grow even when the lease’s bucket was emptied', async () => {
    const first = candidate('a');
    await clock.advance(100);
    server.wipe('plim_lease');

    await clock.advance(5_000);

    expect(first.losses).toHaveLength(1);
    expect(first.terms.map((term) => term.epoch)).toEqual([1, 2]);
  });

  test('a former leader’s fenced writes are refused once the next one leads', async () => {
    const first = candidate('a');
    await clock.advance(100);
    const epoch = first.terms[0]?.epoch ?? 0;
    const former = first.connection.buckets.fenced({ epoch });
    const write = (node: string) => former.nets.create(subnetKey(node), aSubnet('10.0.0.0/26', epoch, node));
    await write('a');
    first.connection.hold();
    await server.connect().buckets.leases.delete('leader');
    const second = candidate('b');
    await clock.advance(550);

    expect(second.terms).toHaveLength(1);
    await expect(write('b')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('where the server cannot fence, a new leader waits one lease time before it leads', async () => {
    server = new MemoryServer({ clock, serverFences: false });
    const only = candidate('a');

    await clock.advance(2_900);
    expect(only.terms).toHaveLength(0);
    await clock.advance(200);

    expect(only.terms).toHaveLength(1);
  });

  test.each([true, false])(
    'epochs that began anew end up above those seen (the server fences: %s)',
    async (serverFences) => {
      server = new MemoryServer({ clock, serverFences });
      for (const name of ['a', 'b', 'c']) {
        const leader = candidate(name);
        await clock.advance(4_000);
        await leader.stop();
      }
      server.wipe('plim_spec');
      const after = candidate('d');

      await clock.advance(30_000);

      expect(candidates[2]?.terms[0]?.epoch).toBe(3);
      expect(after.terms).toHaveLength(1);
      expect(after.terms[0]?.epoch).toBeGreaterThanOrEqual(3);
    },
  );

  test('a lost acknowledgement of a renewal costs no leadership', async () => {
    const first = candidate('a');
    await clock.advance(100);
    first.connection.loseAcknowledgements(2);

    await clock.advance(10_000);

    expect(first.losses).toHaveLength(0);
  });
});

describe('LeaseView', () => {
  test('refuses epochs below the highest it has seen, from the lease, an order or its own past', async () => {
    const view = await LeaseView.open(server.connect().buckets, 3);
    expect(view.accepts(2)).toBe(false);
    candidate('a');
    await server.connect().buckets.epochs.create('leader', { v: 1, epoch: 6 });
    await clock.advance(1_000);

    expect(view.leader?.holderId).toBe('a');
    expect(view.highestEpoch).toBe(view.leader?.epoch);
    expect(view.accepts(view.highestEpoch + 1)).toBe(true);
    expect(view.accepts(view.highestEpoch - 1)).toBe(false);
    await view.close();
  });
});
