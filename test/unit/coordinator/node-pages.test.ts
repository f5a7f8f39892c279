import { afterEach, describe, expect, test } from 'vitest';
import { NodePages } from '../../../coordinator/node-pages.ts';
import { MetricsRequest } from '../../../model/messages.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';

const node = { id: 'node1', name: 'host-1' };

describe('NodePages', () => {
  const clock = new FakeClock();
  const server = new MemoryServer({ clock });
  const agent = server.connect('agent');
  const pages = new NodePages({ bus: server.connect('coordinator').bus, clock });
  let stop = () => {};
  afterEach(() => stop());

  /** The node answers with what the generator yields; the answer counts how often it was asked. */
  function answerWith(make: () => AsyncIterable<Uint8Array>): { times: number } {
    const asked = { times: 0 };
    const subscription = agent.bus.answerStream(node.id, 'metrics', MetricsRequest, () => {
      asked.times += 1;
      return make();
    });
    stop = () => subscription.stop();
    return asked;
  }

  test('a page of many chunks comes whole', async () => {
    const page = Buffer.alloc(3_000_000, 'container_last_seen 1\n');
    answerWith(async function* () {
      yield page;
    });

    expect((await pages.page(node)).equals(page)).toBe(true);
  });

  test('a node is asked once for scrapes at the same time, and again for the next', async () => {
    const asked = answerWith(async function* () {
      yield Buffer.from('page');
    });

    const together = await Promise.all([pages.page(node), pages.page(node)]);
    await pages.page(node);

    expect(together.map(String)).toEqual(['page', 'page']);
    expect(asked.times).toBe(2);
  });

  test('a node nobody answers for is unavailable at once', async () => {
    stop = () => {};

    await expect(pages.page(node)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Cannot get the metrics page of node host-1: nobody answers for it on the bus. Is its agent running?',
    });
  });

  test('a page that does not come ends in a timeout, and the node is told that nobody waits any more', async () => {
    const told = { gone: false };
    const subscription = agent.bus.answerStream(node.id, 'metrics', MetricsRequest, async function* (_request, signal) {
      yield Buffer.from('half a page');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      told.gone = true;
    });
    stop = () => subscription.stop();

    const outcome = pages.page(node).catch((error: unknown) => error);
    await clock.advance(8_000);
    await settleMicrotasks();

    expect(await outcome).toMatchObject({ code: 'timeout' });
    expect(told.gone).toBe(true);
  });
});
