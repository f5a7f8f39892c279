/** Pulls an image. There is no limit on how long it takes, only on how long nothing comes. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { PullProgress } from './docker-replies.ts';
import type { EngineCalls } from './engine-calls.ts';
import { jsonLines } from './json-lines.ts';

const STALL_MS = 60_000;

export interface PullRequest {
  readonly reference: string;
  readonly registryAuth: string | undefined;
}

/** Throws the engine's words when the pull fails, `timeout` when it stalls or the signal aborts. */
export async function pullImage(
  calls: EngineCalls,
  clock: Clock,
  { reference, registryAuth }: PullRequest,
  signal: AbortSignal,
): Promise<void> {
  const call = {
    method: 'POST',
    path: '/images/create',
    query: pullQuery(reference),
    ...(registryAuth !== undefined && { headers: { 'X-Registry-Auth': registryAuth } }),
    deadlineMs: STALL_MS,
    signal,
  } as const;
  const stream = await calls.stream(call);
  const stall = new StallWatch(clock, stream, reference);
  try {
    for await (const progress of jsonLines(stream, PullProgress)) {
      stall.restart();
      if (progress.error !== undefined) throw new PlimsollError('invalid', progress.error);
    }
  } finally {
    stall.end();
    stream.destroy();
  }
}

/** Without a tag Docker would pull every tag of the repository. */
function pullQuery(reference: string): Record<string, string> {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return { fromImage: name.includes(':') || name.includes('@') ? reference : `${reference}:latest` };
}

class StallWatch {
  private timer = new AbortController();
  private readonly clock: Clock;
  private readonly stream: IncomingMessage;
  private readonly reference: string;

  constructor(clock: Clock, stream: IncomingMessage, reference: string) {
    this.clock = clock;
    this.stream = stream;
    this.reference = reference;
    this.restart();
  }

  restart(): void {
    this.end();
    this.timer = new AbortController();
    this.clock.sleep(STALL_MS, this.timer.signal).then(
      () =>
        this.stream.destroy(new PlimsollError('timeout', `Pulling ${this.reference} stalled for ${STALL_MS / 1000} s`)),
      () => undefined,
    );
  }

  end(): void {
    this.timer.abort();
  }
}
