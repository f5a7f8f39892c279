import { describe, expect, it } from 'vitest';
import { SerialQueue } from '../../../runtime/serial-queue.ts';

describe('SerialQueue', () => {
  it('begins no work before the last is over', async () => {
    const queue = new SerialQueue();
    const said: string[] = [];
    const work = (name: string) => async () => {
      said.push(`${name} begins`);
      await Promise.resolve();
      said.push(`${name} ends`);
    };

    void queue.run(work('a'));
    void queue.run(work('b'));
    await queue.idle();

    expect(said).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('goes on after work that failed, and tells only its caller', async () => {
    const queue = new SerialQueue();
    const failing = queue.run(() => Promise.reject(new Error('no')));
    const next = queue.run(async () => 'done');

    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
    await queue.idle();
  });
});
