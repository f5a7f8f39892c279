import { describe, expect, it } from 'vitest';
import { KeyedQueue } from '../../../runtime/keyed-queue.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('KeyedQueue', () => {
  it('refuses a second piece of work for a busy key', async () => {
    const queue = new KeyedQueue(2);
    const first = gate();

    expect(queue.offer('a', () => first.opened)).toBe(true);
    expect(queue.offer('a', () => Promise.resolve())).toBe(false);

    first.open();
    await queue.idle();
    expect(queue.offer('a', () => Promise.resolve())).toBe(true);
  });

  it('never runs more than its limit at once and starts the rest in order', async () => {
    const queue = new KeyedQueue(2);
    const gates = new Map(['a', 'b', 'c', 'd'].map((key) => [key, gate()]));
    const started: string[] = [];
    for (const [key, { opened }] of gates) {
      queue.offer(key, () => {
        started.push(key);
        return opened;
      });
    }

    expect(started).toEqual(['a', 'b']);
    for (const { open } of gates.values()) open();
    await queue.idle();

    expect(started).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes on after work that fails', async () => {
    const queue = new KeyedQueue(1);
    const failures: unknown[] = [];
    queue.offer('a', () => Promise.reject(new Error('broken')).catch((error: unknown) => void failures.push(error)));
    queue.offer('b', () => Promise.resolve());

    await queue.idle();

    expect(failures).toHaveLength(1);
    expect(queue.size).toBe(0);
  });
});
