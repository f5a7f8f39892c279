/** The beat thread: its own connection, so that neither a busy main loop nor a full state connection delays a beat. */
import { workerData } from 'node:worker_threads';
import type { Bus } from '../bus/bus.ts';
import { connectBus } from '../bus/connect-bus.ts';
import type { NodeIdentity } from '../bus/identity/user-identity.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { systemClock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { createLog, type Log, type LogLevel } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { beatUntil } from './beat.ts';
import { BeatState } from './beat-state.ts';

/** What the main thread starts this one with. */
export interface BeatThreadData {
  readonly identity: NodeIdentity;
  readonly incarnation: number;
  readonly memory: SharedArrayBuffer;
  readonly logLevel: LogLevel;
}

const RETRY = { firstMs: 100, maxMs: 1_000 };

/** Beats until the main thread ends this one: beats are never stored, nothing is lost with it. */
async function run({ identity, incarnation, memory, logLevel }: BeatThreadData): Promise<void> {
  const bus = await connect(identity, createLog('agent-beats', logLevel));
  const monotonicNs = () => process.hrtime.bigint();
  const beating = {
    nodeId: identity.nodeId,
    incarnation,
    state: new BeatState(memory),
    clock: systemClock,
    monotonicNs,
  };
  await beatUntil(bus, beating, new AbortController().signal);
}

async function connect(identity: NodeIdentity, log: Log): Promise<Bus> {
  const registry = createMetrics('agent-beats', '');
  for (let failures = 1; ; failures += 1) {
    try {
      const options = { identity, purpose: 'beats', waitForServer: false, clock: systemClock, log, registry };
      return (await connectBus(options)).bus;
    } catch (error) {
      log.debug({ error: messageOf(error) }, 'the bus is away: no beats');
      await systemClock.sleep(backoffMs(RETRY, failures));
    }
  }
}

await run(workerData as BeatThreadData);
