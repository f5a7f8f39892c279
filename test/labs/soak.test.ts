/** Three minutes of `npm run soak`, with the troubles three times as close: see test/soak. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../simulation/world/random.ts';
import { soak, soakTable } from '../soak/soak.ts';
import { type Lab, labUp } from '../support/lab.ts';

const place = { name: 'soak3', subnet: '10.99.65' } as const;
const ROUNDS = 9;
const ROUND_MS = 20_000;

let lab: Lab;

beforeAll(async () => {
  lab = await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, coordinators: 2, place });
});

afterAll(() => lab?.down());

test('a loaded cluster raises no false alarm, whatever small trouble it has', { timeout: 400_000 }, async () => {
  const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
  const options = { rounds: ROUNDS, roundMs: ROUND_MS, loadAverage: 8, onRound: () => undefined };

  const rounds = await soak({ lab, lots: new Random(seed), ...options });

  const alarms = rounds.flatMap((round) => round.alarms);
  expect(alarms, `seed ${seed}\n${soakTable(rounds)}`).toEqual([]);
});
