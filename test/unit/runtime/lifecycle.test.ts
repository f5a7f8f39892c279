import { describe, expect, it } from 'vitest';
import { Lifecycle } from '../../../runtime/lifecycle.ts';
import { createLog } from '../../../runtime/log.ts';

const log = createLog('test', 'silent');

describe('Lifecycle', () => {
  it('stops in reverse order, once, and past a part that fails', async () => {
    const lifecycle = new Lifecycle(log);
    const stopped: string[] = [];
    lifecycle.onStop('first', () => void stopped.push('first'));
    lifecycle.onStop('broken', () => Promise.reject(new Error('stuck')));
    lifecycle.onStop('last', () => void stopped.push('last'));

    await Promise.all([lifecycle.stop(), lifecycle.stop()]);

    expect(stopped).toEqual(['last', 'first']);
    expect(lifecycle.signal.aborted).toBe(true);
  });

  it('undoes what a start still brings while the stop goes on, and after it', async () => {
    const lifecycle = new Lifecycle(log);
    const stopped: string[] = [];
    lifecycle.onStop('first', () => void stopped.push('first'));
    lifecycle.onStop('last', () => lifecycle.onStop('meanwhile', () => void stopped.push('meanwhile')));

    await lifecycle.stop();
    lifecycle.onStop('late', () => void stopped.push('late'));

    expect(stopped).toEqual(['first', 'meanwhile', 'late']);
  });
});
