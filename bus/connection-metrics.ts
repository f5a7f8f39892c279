/** What a connection to NATS is worth, looked at now and then: whether it stands, how far away the server is, the traffic. */
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { BusMetrics } from './bus-metrics.ts';

const LOOK_EVERY_MS = 5_000;
const PING_TIMEOUT_MS = 2_000;

/** Of a NATS connection what is measured here. */
export interface MeasuredConnection {
  isClosed(): boolean;
  /** Milliseconds for a ping and its answer. */
  rtt(): Promise<number>;
  stats(): { readonly inMsgs: number; readonly outMsgs: number; readonly inBytes: number; readonly outBytes: number };
}

export interface ConnectionMeasureParts {
  readonly connection: MeasuredConnection;
  readonly isConnected: () => boolean;
  /** What the connection is for: `state`, `beats`, `streams`. */
  readonly purpose: string;
  readonly clock: Clock;
  readonly metrics: BusMetrics;
}

/** Measures until the signal aborts or the connection is closed for good. */
export async function measureConnection(parts: ConnectionMeasureParts, signal: AbortSignal): Promise<void> {
  let counted: Traffic = { inMsgs: 0, outMsgs: 0, inBytes: 0, outBytes: 0 };
  while (!signal.aborted && !parts.connection.isClosed()) {
    const traffic = parts.connection.stats();
    countTraffic(parts, counted, traffic);
    counted = { ...traffic };
    await measureRoundTrip(parts);
    await parts.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

type Traffic = ReturnType<MeasuredConnection['stats']>;

function countTraffic({ metrics, purpose }: ConnectionMeasureParts, before: Traffic, now: Traffic): void {
  const of = (direction: string) => ({ connection: purpose, direction });
  metrics.messages.inc(of('in'), now.inMsgs - before.inMsgs);
  metrics.messages.inc(of('out'), now.outMsgs - before.outMsgs);
  metrics.bytes.inc(of('in'), now.inBytes - before.inBytes);
  metrics.bytes.inc(of('out'), now.outBytes - before.outBytes);
}

/** A connection that is down has no round trip: the last one stays, `plimsoll_bus_connected` tells. */
async function measureRoundTrip(parts: ConnectionMeasureParts): Promise<void> {
  const { connection, isConnected, clock, metrics, purpose } = parts;
  if (!isConnected()) return;
  const late = () => new PlimsollError('timeout', `NATS did not answer a ping within ${PING_TIMEOUT_MS} ms`);
  try {
    const roundTripMs = await withDeadline(clock, PING_TIMEOUT_MS, connection.rtt(), late);
    metrics.roundTripSeconds.set({ connection: purpose }, roundTripMs / 1000);
  } catch {
    metrics.pingFailures.inc({ connection: purpose });
  }
}
