import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ProbeRequest } from '../../../model/messages.ts';
import { probeTcp } from '../../../runtime/tcp-probe.ts';

it('reaches who listens, and is refused by a port nobody listens on', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const probe = () => probeTcp({ address: '127.0.0.1', port, timeoutMs: 5_000 });

  expect(await probe()).toEqual({ reachable: true });
  await new Promise((resolve) => server.close(resolve));
  expect(await probe()).toMatchObject({ reachable: false, error: expect.stringContaining('ECONNREFUSED') });
});

it('survives a wait that is none, which no message may ask for', async () => {
  const request = { address: '127.0.0.1', port: 1, timeoutMs: -1 };

  await expect(probeTcp(request)).rejects.toThrow('msecs');
  expect(ProbeRequest.safeParse(request).success).toBe(false);
  expect(ProbeRequest.safeParse({ ...request, port: 70_000, timeoutMs: 1 }).success).toBe(false);
  // What the connection says afterwards has a listener: without one, the run of these tests would fail.
  expect(await probeTcp({ ...request, timeoutMs: 5_000 })).toMatchObject({ reachable: false });
});
