/** Asking Alertmanager which alerts fire (its API, `/api/v2/alerts`). */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type Clock, withDeadline } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { type AlertReport, reportsOfListing } from './alert-report.ts';

const TIMEOUT_MS = 4_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Alerts that fire, ask something of a service, and are neither silenced nor inhibited. */
export interface AlertListing {
  readonly reports: readonly AlertReport[];
  /** Since when this Alertmanager runs, in wall time: it keeps alerts in memory, and hears of those from before again. */
  readonly startedAtMs: number;
}

export interface Alertmanager {
  /** Throws when it cannot be told. */
  firing(): Promise<AlertListing>;
}

const Status = z.object({ uptime: z.iso.datetime({ offset: true }) });

/** Alertmanager at `baseUrl`, which may have a path. */
export function alertmanagerAt(baseUrl: string, clock: Clock): Alertmanager {
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  const url = new URL('api/v2/alerts', base);
  const statusUrl = new URL('api/v2/status', base);
  const wanted = { active: 'true', silenced: 'false', inhibited: 'false', unprocessed: 'false' };
  url.search = new URLSearchParams({ ...wanted, filter: 'plimsoll_action=~".+"' }).toString();
  const dispatcher = new Agent({
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  const get = async (from: URL, signal: AbortSignal): Promise<unknown> => {
    const { statusCode, body } = await request(from, { dispatcher, signal });
    const text = await body.text();
    if (statusCode !== 200) throw new PlimsollError('unavailable', `it answers ${statusCode}`);
    return JSON.parse(text);
  };
  // The status last: where one begins anew in between, its predecessor's list is taken with the doubt its own deserves.
  const ask = async (signal: AbortSignal): Promise<AlertListing> => {
    const reports = reportsOfListing(await get(url, signal));
    const { uptime } = Status.parse(await get(statusUrl, signal));
    return { reports, startedAtMs: Date.parse(uptime) };
  };
  const late = () => new PlimsollError('timeout', `it did not answer within ${TIMEOUT_MS / 1_000} s`);
  return {
    firing: async () => {
      const asking = new AbortController();
      try {
        return await withDeadline(clock, TIMEOUT_MS, ask(asking.signal), late);
      } catch (error) {
        throw new PlimsollError('unavailable', `Alertmanager at ${url.origin}: ${messageOf(error)}`, { cause: error });
      } finally {
        asking.abort();
      }
    },
  };
}
