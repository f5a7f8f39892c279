/** What a server that is behind says, and that nobody who writes believes it: three copies of each stream, one cut off. */
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bucket } from '../../bus/bus.ts';
import { streamOf, subjectOf } from '../../bus/kv-layout.ts';
import type { ClaimRecord } from '../../model/claim-record.ts';
import { eventually } from '../support/eventually.ts';
import { aClaim } from '../support/records.ts';
import { NatsTrio } from './nats-trio.ts';

const KEY = 'service.web';
const START_MS = 120_000;
const QUESTIONS = 40;
const ANSWER_MS = 1_500;
const NOTICED_MS = 60_000;

interface Claimed {
  readonly ownerName: string;
}

let trio: NatsTrio;
beforeAll(async () => {
  trio = await NatsTrio.start();
}, START_MS);
afterAll(() => trio.stop());

/**
 * Whose claim the copies say it is that answer a client: a direct get, which goes to any of them by chance. Those that
 * cannot be reached say nothing; that every question goes to them happens once in ten million times.
 */
async function ownersToldTo(client: NatsConnection): Promise<string[]> {
  const subject = `$JS.API.DIRECT.GET.${streamOf('plim_name')}.${subjectOf('plim_name', KEY)}`;
  const ask = () => client.request(subject, '', { timeout: ANSWER_MS }).catch(() => undefined);
  const answers = await Promise.all(Array.from({ length: QUESTIONS }, ask));
  const told = answers.flatMap((answer) =>
    answer && answer.data.length > 0 ? [answer.json<Claimed>().ownerName] : [],
  );
  return [...new Set(told)];
}

interface Past {
  /** What the copy behind the cut tells. */
  readonly told: readonly string[];
  /** Of the record it tells of; there is a newer one. */
  readonly revision: number;
}

/** Cuts a copy off and has a record changed on the others; again until the copy answers: it begins to some time after its start. */
async function cutUntilTold(claims: Bucket<ClaimRecord>, nearest: NatsConnection): Promise<Past> {
  return eventually(
    async () => {
      trio.healThird();
      const revision = await claims.put(KEY, aClaim('old'));
      await trio.haveCaughtUp(streamOf('plim_name'));
      trio.cutThird();
      await claims.update(KEY, aClaim('new'), revision);
      const told = await ownersToldTo(nearest);
      return told.length > 0 ? { told, revision } : undefined;
    },
    { timeoutMs: NOTICED_MS, what: 'the copy that is cut off answers' },
  );
}

test(
  'a copy that is cut off tells of the past; a coordinator beside it does not believe it and overwrites nothing',
  async () => {
    const { buckets: first } = await trio.coordinator(0);
    const { buckets: beside } = await trio.coordinator(2);
    const nearest = await trio.client(2);
    await trio.leadElsewhere(streamOf('plim_name'));

    const { told, revision } = await cutUntilTold(first.claims, nearest);

    expect(told).toEqual(['old']);
    const asked = [beside.claims.get(KEY), beside.claims.update(KEY, aClaim('overwritten'), revision)];
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

    trio.healThird();
    const seen = () => beside.claims.get(KEY).catch(() => undefined);
    const entry = await eventually(seen, { timeoutMs: NOTICED_MS, what: 'the leader can be asked again' });
    expect(entry.value.ownerName).toBe('new');
    await expect(beside.claims.update(KEY, aClaim('late'), revision)).rejects.toMatchObject({ code: 'conflict' });
    const isToldNew = async () => (await ownersToldTo(nearest)).join() === 'new';
    await eventually(isToldNew, { timeoutMs: NOTICED_MS, what: 'the copy caught up' });
  },
  2 * START_MS,
);
