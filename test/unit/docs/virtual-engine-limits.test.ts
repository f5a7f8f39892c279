/** The table of limits in docs/operations.md says what the code holds to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SESSIONS_AT_ONCE } from '../../../agent/engine-sessions.ts';
import { FETCH_BACKOFF, FETCHES_AT_ONCE } from '../../../agent/image-store.ts';
import { QUESTIONS_BURST, QUESTIONS_PER_SECOND } from '../../../agent/network/overlay/overlay-table.ts';
import { eventStream, pastStream } from '../../../bus/bucket-definitions.ts';
import { CHUNK_BYTES, WINDOW } from '../../../bus/byte-stream.ts';
import { compareMs, rereadMs, silenceMs } from '../../../bus/checked-watch.ts';
import { MAX_CONSUMERS } from '../../../bus/open-streams.ts';
import { MAX_UNREAD_BYTES } from '../../../coordinator/api/docker/event-routes.ts';
import { MAX_BODY_BYTES, PROBE_MS } from '../../../coordinator/api/docker/hijack.ts';
import { MAX_PAYLOAD_BYTES } from '../../../coordinator/api/docker/log-frames.ts';
import { MAX_PAGE_BYTES } from '../../../coordinator/node-pages.ts';
import { HEAD_WITHIN_MS } from '../../../coordinator/sessions/engine-session.ts';
import { toldEveryMs } from '../../../runtime/told-seldom.ts';
import { packageRoot } from '../../../runtime/version.ts';

const operations = readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8');
const mebibytes = (bytes: number) => `${bytes / 2 ** 20} MiB`;
const seconds = (ms: number) => `${ms / 1000} s`;

it.each([
  ['sessions coordinators have open with one engine', String(SESSIONS_AT_ONCE)],
  ['bytes under way per session and direction', `${(WINDOW * CHUNK_BYTES) / 1024} KiB`],
  ['a client that is gone is noticed within', seconds(PROBE_MS)],
  ['an engine begins its answer within', seconds(HEAD_WITHIN_MS)],
  ['images a node fetches at once', String(FETCHES_AT_ONCE)],
  [
    'an image that could not be had is tried again after',
    `${seconds(FETCH_BACKOFF.firstMs)}, doubling to ${seconds(FETCH_BACKOFF.maxMs)}`,
  ],
  ['a frame of a log, more is a broken stream', mebibytes(MAX_PAYLOAD_BYTES)],
  ['events a client of `docker events` has not read', mebibytes(MAX_UNREAD_BYTES)],
  ["a node's page of metrics passed on", mebibytes(MAX_PAGE_BYTES)],
  ['decisions remembered of a service, ends of attempts of a slot', String(pastStream.maxMessagesPerSubject)],
  ['decisions and ends remembered in all', mebibytes(pastStream.maxBytes)],
  ['events remembered', `${eventStream.maxAgeMs / 86_400_000} days, ${mebibytes(eventStream.maxBytes)}`],
  ['watches of one bucket, where the server limits them (NATS 2.15)', String(MAX_CONSUMERS)],
  ['a watch that hears nothing, not even that all is quiet, starts over after', seconds(silenceMs)],
  ['a watch compares itself with its bucket every, reads it anew every', `${seconds(compareMs)}, ${seconds(rereadMs)}`],
  ['a log line about what happens again and again, with the number since', `every ${seconds(toldEveryMs)}`],
  ['questions the resolver takes from one container', `${QUESTIONS_PER_SECOND} a second, ${QUESTIONS_BURST} at once`],
  ['the body that begins an exec or attach', `${MAX_BODY_BYTES / 1024} KiB`],
])('%s: %s', (what, value) => {
  expect(operations).toContain(`| ${what} | ${value} |`);
});
