import { describe, expect, it } from 'vitest';
import { followLogs, type LogStreamParts, readLogs } from '../../../../../coordinator/api/docker/log-stream.ts';
import type { LogSource, LogsQuery } from '../../../../../coordinator/api/docker/task-log.ts';
import type { LogsRequest } from '../../../../../model/messages.ts';
import { PlimsollError } from '../../../../../runtime/errors.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { engineFrame } from '../../../../support/engine-frames.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const query: LogsQuery = { follow: false, tail: 'all', sinceSeconds: 0, untilSeconds: 0, stdout: true, stderr: true };
const source = (taskId: string, changes: Partial<LogSource> = {}): LogSource => ({
  taskId,
  shownTaskId: taskId,
  serviceId: 's',
  nodeId: `node-of-${taskId}`,
  tty: false,
  ...changes,
});
const line = (second: number, text: string) => engineFrame(1, `2026-11-23T00:00:0${second}.000000000Z ${text}\n`);

/** Logs read from scripted nodes; what was shown, in order. */
class Reading {
  readonly clock = new FakeClock();
  readonly shown: string[] = [];
  readonly requests: LogsRequest[] = [];
  sources: LogSource[] | undefined;
  down = new Set<string>();
  private readonly nodes: Record<string, (signal: AbortSignal) => AsyncIterable<Uint8Array>>;

  constructor(sources: LogSource[], nodes: Reading['nodes']) {
    this.sources = sources;
    this.nodes = nodes;
  }

  get parts(): LogStreamParts {
    return {
      clock: this.clock,
      log: createLog('test', 'silent'),
      sources: () => this.sources,
      isNodeUp: (nodeId) => !this.down.has(nodeId),
      write: async (_source, { text }) => void this.shown.push(text.toString().trimEnd()),
      bus: {
        askNodeStream: (nodeId, _verb, message, signal) => {
          this.requests.push(message as LogsRequest);
          return this.nodes[nodeId]?.(signal) ?? noContainer();
        },
      },
    };
  }
}

async function* noContainer(): AsyncGenerator<Uint8Array> {
  yield* saying();
  throw new PlimsollError('not-found', 'no container');
}

async function* saying(...frames: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* frames;
}

async function* silent(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  yield* saying();
}

/** Lets everything that waits for nothing but promises go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('readLogs()', () => {
  it('reads all tasks, and names the nodes that are away', async () => {
    const reading = new Reading([source('a'), source('b'), source('c')], { 'node-of-a': () => saying(line(1, 'one')) });
    reading.down.add('node-of-b');
    const missing = await readLogs(reading.parts, query, new AbortController().signal);
    expect(reading.shown).toEqual(['one']);
    expect(missing).toEqual(['node node-of-b is not available']);
  });

  it('waits a while for a silent node, not for ever', async () => {
    const reading = new Reading([source('a')], { 'node-of-a': silent });
    const missing = readLogs(reading.parts, query, new AbortController().signal);
    await settle();
    await reading.clock.advance(5_000);
    expect(await missing).toEqual(['node node-of-a sent nothing for 5000 ms']);
  });

  it("cuts a terminal's bytes into lines", async () => {
    const bytes = engineFrame(1, '2026-11-23T00:00:01Z one\r\n2026-11-23T00:00:02Z two');
    const reading = new Reading([source('a', { tty: true })], { 'node-of-a': () => saying(bytes) });
    await readLogs(reading.parts, query, new AbortController().signal);
    expect(reading.shown).toEqual(['one', 'two']);
  });
});

describe('followLogs()', () => {
  it('goes on with the next attempt where the last line was, and ends with its sources', async () => {
    const reading = new Reading([source('a')], { 'node-of-a': () => saying(line(1, 'one'), line(2, 'two')) });
    const following = followLogs(reading.parts, { ...query, follow: true, tail: 1 }, new AbortController().signal);
    await settle();
    await reading.clock.advance(500);
    expect(reading.requests).toHaveLength(1);
    reading.sources = [source('a', { shownTaskId: 'a2' })];
    await reading.clock.advance(500);
    await settle();
    expect(reading.requests[1]).toMatchObject({ tail: 'all', sinceSeconds: Date.parse('2026-11-23T00:00:02Z') / 1000 });
    expect(reading.shown).toEqual(['one', 'two']);
    reading.sources = undefined;
    await reading.clock.advance(500);
    await following;
  });

  it('reads a task that comes later, and lets go of a node that is lost', async () => {
    const aborted: string[] = [];
    const reading = new Reading([source('a')], {
      'node-of-a': (signal) => {
        signal.addEventListener('abort', () => aborted.push('a'));
        return silent(signal);
      },
      'node-of-b': () => saying(line(3, 'later')),
    });
    const gone = new AbortController();
    const following = followLogs(reading.parts, { ...query, follow: true }, gone.signal);
    await settle();
    reading.down.add('node-of-a');
    reading.sources = [source('a'), source('b')];
    await reading.clock.advance(500);
    await settle();
    expect(aborted).toEqual(['a']);
    expect(reading.shown).toEqual(['later']);
    gone.abort();
    await following;
  });
});
