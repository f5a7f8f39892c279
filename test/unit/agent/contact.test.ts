import { beforeEach, describe, expect, it } from 'vitest';
import { Contact } from '../../../agent/contact.ts';
import type { Uptime } from '../../../agent/host.ts';
import type { Permit } from '../../../agent/plan/permit.ts';
import { FAILOVER_AFTER_LABEL, ON_DISCONNECT_LABEL } from '../../../model/service-policy.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import type { JsonFiles } from '../../../runtime/files.ts';
import { createLog } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { aTask } from '../../support/tasks.ts';

const stopping = aTask({ serviceLabels: { [ON_DISCONNECT_LABEL]: 'stop', [FAILOVER_AFTER_LABEL]: '20s' } });
const keeping = aTask({ serviceLabels: { [FAILOVER_AFTER_LABEL]: '20s' } });

describe('Contact', () => {
  let clock: FakeClock;
  let uptime: () => Uptime;
  let stored: Map<string, unknown>;
  let leaderAnswers: boolean;
  let knowsAll: boolean;
  let seen: Permit[];
  let voided: Permit[];
  let asked: number;

  beforeEach(() => {
    clock = new FakeClock();
    uptime = () => ({ bootId: 'first', sinceBootMs: clock.elapsedMs() });
    stored = new Map();
    leaderAnswers = true;
    knowsAll = true;
    seen = [];
    voided = [];
    asked = 0;
  });

  const files: JsonFiles = {
    read: async (path) => stored.get(path),
    write: async (path, content) => void stored.set(path, content),
  };

  function newContact(contactClock = clock): Contact {
    return new Contact({
      nodeId: 'n1',
      clock: contactClock,
      host: { uptime: () => uptime() },
      files,
      stateDir: '/state',
      log: createLog('test', 'silent'),
      metrics: { diskFailures: { inc: () => undefined } as never },
    });
  }

  /** Lets a contact ask for a while. */
  async function askFor(contact: Contact, durationMs: number, needsContact = true): Promise<void> {
    const ended = new AbortController();
    const request = async () => {
      asked += 1;
      if (!leaderAnswers) throw new PlimsollError('unavailable', 'nobody answers');
      return {} as never;
    };
    const tasks = {
      needsContact,
      checkPermits: () => void seen.push(contact.permitFor(stopping)),
      voidResumptions: () => void voided.push(contact.permitFor(stopping)),
    };
    const asking = contact.keep({ request }, tasks, () => knowsAll, ended.signal);
    await clock.advance(durationMs);
    ended.abort();
    await asking;
  }

  it('lets a task run that the leader was heard of lately, and one that keeps running anyway', async () => {
    const contact = newContact();
    expect([contact.permitFor(stopping), contact.permitFor(keeping)]).toEqual(['unknown', 'valid']);

    await askFor(contact, 1_000);
    expect(contact.permitFor(stopping)).toBe('valid');

    leaderAnswers = false;
    await askFor(contact, 18_000);
    expect(contact.permitFor(stopping)).toBe('valid');
    await askFor(contact, 3_000);
    expect([contact.permitFor(stopping), contact.permitFor(keeping)]).toEqual(['expired', 'valid']);
    expect(contact.expiredForMs(stopping)).toBeGreaterThan(0);
  });

  it('has permits looked at before an answer makes them valid again', async () => {
    const contact = newContact();
    await askFor(contact, 1_000);
    clock.hang(60_000);
    seen = [];
    voided = [];

    await askFor(contact, 500);

    expect(seen).toEqual(['expired', 'valid']);
    expect(voided).toEqual(['expired']);
  });

  it('asks after a silence only once every assignment is known: one may have been given up (simulation, seed 313)', async () => {
    const contact = newContact();
    await askFor(contact, 1_000);
    knowsAll = false;
    await askFor(contact, 30_000);
    expect(contact.permitFor(stopping)).toBe('valid');

    clock.hang(60_000);
    await askFor(contact, 30_000);
    expect(contact.permitFor(stopping)).toBe('expired');

    knowsAll = true;
    await askFor(contact, 1_000);
    expect(contact.permitFor(stopping)).toBe('valid');
  });

  it('asks seldom while no task needs it, so that a silence is known to be one (simulation, seed 715)', async () => {
    const contact = newContact();
    await askFor(contact, 60_000, false);
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(22);
    expect(contact.permitFor(stopping)).toBe('valid');

    leaderAnswers = false;
    await askFor(contact, 20_000, false);
    expect(contact.permitFor(stopping)).toBe('expired');
  });

  it('knows a later life for one, though no task has needed contact before', async () => {
    await askFor(newContact(), 1_000, false);
    await clock.advance(60_000);
    const next = newContact();
    await next.restore([]);

    expect(next.permitFor(stopping)).toBe('expired');
  });

  it('goes on counting after a restart of the agent', async () => {
    await askFor(newContact(), 1_000);
    await clock.advance(19_000);
    const next = newContact();
    await next.restore([stopping]);
    expect(next.permitFor(stopping)).toBe('valid');

    await clock.advance(2_000);

    expect(next.permitFor(stopping)).toBe('expired');
  });

  it('gives no permit to what was left running without word of when the leader was heard', async () => {
    const contact = newContact();
    await contact.restore([stopping]);

    expect(contact.permitFor(stopping)).toBe('expired');
  });

  it('gives none after the host was started anew, however long its new life', async () => {
    await askFor(newContact(), 1_000);
    uptime = () => ({ bootId: 'second', sinceBootMs: clock.elapsedMs() });
    const rebooted = newContact();
    await rebooted.restore([stopping]);

    expect(rebooted.permitFor(stopping)).toBe('expired');
  });

  it('does not look at the wall clock, which somebody may set (simulation, seed 60)', async () => {
    const setForward = Object.assign(new FakeClock(), { wallMs: () => clock.wallMs() + 300_000 });
    await askFor(newContact(), 1_000);
    const next = newContact(setForward);
    await next.restore([stopping]);

    expect(next.permitFor(stopping)).toBe('valid');
  });
});
