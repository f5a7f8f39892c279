/** The engine's doors to coordinators: so many at once and no more, so that nobody can make the agent hold their bytes. */
import type { Bus, Subscription } from '../bus/bus.ts';
import { EngineSessionRequest } from '../model/engine-session.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { EnginePassage } from './engine/engine-passage.ts';

/** Each holds at most a window of chunks in either direction: 1 MiB. */
export const SESSIONS_AT_ONCE = 128;

export interface EngineSessionParts {
  readonly streams: Bus;
  readonly nodeId: string;
  readonly passage: EnginePassage;
  readonly metrics: Pick<AgentMetrics, 'engineSessions' | 'engineSessionsRefused'>;
}

/** Answers until the subscription is stopped. */
export function answerEngineSessions({ streams, nodeId, passage, metrics }: EngineSessionParts): Subscription {
  let open = 0;
  const change = (by: number) => {
    open += by;
    metrics.engineSessions.set(open);
  };
  return streams.answerStream(nodeId, 'engine', EngineSessionRequest, async function* (request, signal, input) {
    if (open >= SESSIONS_AT_ONCE) {
      metrics.engineSessionsRefused.inc();
      const words = `${open} sessions are open on this node, the most it takes: end some of them and try again`;
      throw new PlimsollError('unavailable', words);
    }
    change(1);
    try {
      yield* passage.open(request, input, signal);
    } finally {
      change(-1);
    }
  });
}
