/** The table of limits in docs/operations.md says what the code holds to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SESSIONS_AT_ONCE } from '../../../agent/engine-sessions.ts';
import { FETCH_BACKOFF, FETCHES_AT_ONCE } from '../../../agent/image-store.ts';
import { CHUNK_BYTES, WINDOW } from '../../../bus/byte-stream.ts';
import { PROBE_MS } from '../../../coordinator/api/docker/hijack.ts';
import { HEAD_WITHIN_MS } from '../../../coordinator/sessions/engine-session.ts';
import { packageRoot } from '../../../runtime/version.ts';

const operations = readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8');
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
])('%s: %s', (what, value) => {
  expect(operations).toContain(`| ${what} | ${value} |`);
});
