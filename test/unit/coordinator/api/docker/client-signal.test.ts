import { EventEmitter, getEventListeners } from 'node:events';
import type { Response } from 'express';
import { beforeEach, describe, expect, test } from 'vitest';
import { clientSignal } from '../../../../../coordinator/api/docker/client-signal.ts';

class FakeResponse extends EventEmitter {
  destroyed = false;
}

describe('clientSignal()', () => {
  let response: FakeResponse;
  let closing: AbortController;
  const signal = () => clientSignal(response as unknown as Response, closing.signal);

  beforeEach(() => {
    response = new FakeResponse();
    closing = new AbortController();
  });

  test('aborts when the client leaves, and leaves nothing behind', () => {
    const client = signal();
    expect(client.aborted).toBe(false);
    response.emit('close');

    expect(client.aborted).toBe(true);
    expect(getEventListeners(closing.signal, 'abort')).toEqual([]);
  });

  test('aborts when the coordinator stops', () => {
    const client = signal();
    closing.abort();

    expect(client.aborted).toBe(true);
  });

  test('has aborted for a client that left before, and for a coordinator that stops already', () => {
    response.destroyed = true;
    expect(signal().aborted).toBe(true);
    response.destroyed = false;
    closing.abort();
    expect(signal().aborted).toBe(true);
  });
});
