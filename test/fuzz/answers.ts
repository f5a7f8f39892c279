/** Sends one request and reads what comes back; a stream is left at its first byte. */
import { type ClientRequest, type RequestOptions, request } from 'node:http';
import type { FuzzRequest } from './requests.ts';

export interface Answer {
  readonly method: string;
  readonly status: number;
  readonly body: string;
}

const ANSWER_WITHIN_MS = 20_000;

/** Rejects when no answer comes, or none in time: a hang. */
export function answerTo(
  where: Pick<RequestOptions, 'socketPath' | 'host' | 'port' | 'agent'>,
  { method, path, headers, body }: FuzzRequest,
  isStream: boolean,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { ...where, method, path, headers: { ...headers, ...length }, timeout: ANSWER_WITHIN_MS };
    const call: ClientRequest = request(options);
    call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    call.on('error', reject);
    call.on('response', (response) => {
      const status = response.statusCode ?? 0;
      if (isStream && status === 200) {
        call.destroy();
        resolve({ method, status, body: '' });
        return;
      }
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ method, status, body: text }));
      response.on('error', reject);
    });
    call.end(body);
  });
}

/** What is wrong with an answer, if anything: whatever was asked, it must be one of ours, and say what was wrong. */
export function complaintAbout({ method, status, body }: Answer): string | undefined {
  if (status < 400) return undefined;
  // There is no room for a sentence in an answer without a body.
  if (method === 'HEAD') return status < 500 || status === 501 ? undefined : 'a failure of the server';
  const message = messageIn(body);
  if (message === undefined) return isVersionTooOld(body) ? undefined : 'an error without a sentence';
  if (status < 500 || status === 501) return undefined;
  return expectedFailures.some((known) => known.test(message)) ? undefined : 'a failure of the server';
}

const expectedFailures = [
  // The engine's own texts and codes for a stale version, and for `docker swarm init` on a member.
  /^rpc error: code = Unknown desc = update out of sequence/,
  /already part of a swarm/,
  // There are nodes, and no agents on them.
  /Is its agent running\?$/,
  /^No node is ready to take an image$/,
];

function isVersionTooOld(body: string): boolean {
  return body.startsWith('client version');
}

function messageIn(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null || !('message' in parsed)) return undefined;
    return typeof parsed.message === 'string' && parsed.message !== '' ? parsed.message : undefined;
  } catch {
    return undefined;
  }
}
