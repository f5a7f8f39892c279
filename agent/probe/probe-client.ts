/** Looks at a container once: an HTTP answer, an open port, a command's exit code. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import type { Probe, ProbeTarget } from '../../model/probe.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { probeTcp } from '../../runtime/tcp-probe.ts';
import type { EngineCalls } from '../engine/engine-calls.ts';
import type { ProbeResult } from './probe-verdict.ts';

export interface ProbedContainer {
  readonly id: string;
  /** Where its ports are; undefined for one without a network. */
  readonly address: string | undefined;
}

/** Never throws: what cannot be asked has failed. */
export type ProbeClient = (container: ProbedContainer, probe: Probe) => Promise<ProbeResult>;

const EXEC_POLL_MS = 50;

export function createProbeClient(engine: EngineCalls, clock: Clock): ProbeClient {
  return async ({ id, address }, { target, timeoutMs }) => {
    try {
      if (target.kind === 'exec') return await runInside(engine, clock, id, target.command, timeoutMs);
      if (address === undefined) return { ok: false, why: 'the container has no address on this node' };
      if (target.kind === 'http') return await httpResult(address, target, timeoutMs);
      const { reachable, error = 'no answer' } = await probeTcp({ address, port: target.port, timeoutMs });
      return reachable ? { ok: true } : { ok: false, why: `TCP port ${target.port}: ${error}` };
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
  };
}

/** Statuses from 200 to 399 are good, redirects are not followed, certificates not checked: as the kubelet does. */
function httpResult(
  host: string,
  { scheme, port, path }: Extract<ProbeTarget, { kind: 'http' }>,
  timeoutMs: number,
): Promise<ProbeResult> {
  const request = scheme === 'https' ? httpsRequest : httpRequest;
  const headers = { 'User-Agent': 'plimsoll-probe', Connection: 'close' };
  return new Promise((resolve) => {
    const fail = (why: string) => resolve({ ok: false, why: `${scheme}://:${port}${path}: ${why}` });
    const asked = request({ host, port, path, headers, agent: false, rejectUnauthorized: false }, (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      if (statusCode >= 200 && statusCode < 400) resolve({ ok: true });
      else fail(`HTTP status ${statusCode}`);
    });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    asked.on('error', (error) => fail(messageOf(error)));
    asked.once('close', () => {
      clearTimeout(timer);
      // Some answers, a change of protocols for one, end the request without a word.
      fail('the connection was closed without an answer');
    });
    asked.end();
  });
}

const CreateReply = z.object({ Id: z.string() });
const InspectReply = z.object({ Running: z.boolean(), ExitCode: z.number().nullable() });

/** A command that takes too long has failed; the engine has no way to end it, it runs on by itself. */
async function runInside(
  engine: EngineCalls,
  clock: Clock,
  containerId: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeResult> {
  const untilMs = clock.elapsedMs() + timeoutMs;
  const deadlineMs = Math.max(timeoutMs, 1_000);
  const exec = { method: 'POST', path: `/containers/${containerId}/exec`, body: { Cmd: command }, deadlineMs } as const;
  const { Id } = await engine.call(exec, CreateReply);
  await engine.call({ method: 'POST', path: `/exec/${Id}/start`, body: { Detach: true }, deadlineMs }, z.unknown());
  for (;;) {
    const seen = await engine.call({ method: 'GET', path: `/exec/${Id}/json`, deadlineMs }, InspectReply);
    if (!seen.Running && seen.ExitCode === 0) return { ok: true };
    if (!seen.Running && seen.ExitCode !== null) {
      return { ok: false, why: `"${command.join(' ')}" ended with ${seen.ExitCode}` };
    }
    if (clock.elapsedMs() >= untilMs)
      return { ok: false, why: `"${command.join(' ')}" took more than ${timeoutMs} ms` };
    await clock.sleep(EXEC_POLL_MS);
  }
}
