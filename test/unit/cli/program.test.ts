import { createColors } from 'picocolors';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../../cli/program.ts';
import type { Terminal } from '../../../cli/terminal.ts';
import { programVersion } from '../../../runtime/version.ts';

async function plim(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    screenSize: () => undefined,
    colors: createColors(false),
  };
  return { code: await runProgram(args, terminal), out, err };
}

beforeEach(() => {
  // Settings of the environment the tests run in are not the user's.
  for (const name of Object.keys(process.env)) if (name.startsWith('PLIMSOLL_')) vi.stubEnv(name, undefined);
  return () => vi.unstubAllEnvs();
});

describe('plim', () => {
  it('lists its commands and what its exit codes mean', async () => {
    const { code, out } = await plim('--help');

    expect(code).toBe(0);
    for (const name of [
      'up',
      'down',
      'status',
      'top',
      'why',
      'history',
      'rollback',
      'events',
      'token',
      'join',
      'leave',
      'context',
      'agent',
      'coordinator',
    ]) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(out).toContain('Exit codes:');
  });

  it('tells its version', async () => {
    expect(await plim('--version')).toEqual({ code: 0, out: `${programVersion()}\n`, err: '' });
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['status', '--frob'], "unknown option '--frob'"],
    [['status', '--format', 'xml'], 'Allowed choices are table, json'],
    [['why'], "missing required argument 'name'"],
    [['rollback', 'web'], "required option '--to <revision>' not specified"],
    [
      ['plan', '-c', 'stack.yml'],
      'Cannot plan without the name of a stack: wanted is "plim plan -c stack.yml STACK" or',
    ],
    [['plan', 'shop'], 'Cannot plan without its file (-c)'],
    [['plan', 'shop', '--lose', 'h1'], 'Cannot use --lose with a stack ("shop")'],
    [
      ['plan', '-c', 'stack.yml', '--lose', 'h1'],
      "option '--lose <node>' cannot be used with option '-c, --compose-file",
    ],
    [['join', 'only-a-token'], 'Wanted is "plim join TOKEN ADDRESS" or "plim join --local"'],
    [['join', '--no-start', 'no-token', '192.0.2.1', '--state-dir', '/nonexistent'], 'This is no join token'],
    [['status', '--socket', 'relative.sock'], 'must be an absolute path'],
    [
      ['coordinator', '--cluster-file', '/nonexistent', '--nats-server', 'nats-server'],
      'Cannot use --nats-server with --cluster-file',
    ],
    [['coordinator', '--cluster-file', '/nonexistent', '--nats-port', '4333'], 'Cannot use --nats-port with'],
  ])('refuses wrong use with exit code 2: %j', async (args, message) => {
    const { code, err } = await plim(...args);

    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it('says how to go on when no coordinator answers, with exit code 3', async () => {
    const { code, err } = await plim('status', '--socket', '/nonexistent/docker.sock');

    expect(code).toBe(3);
    expect(err).toMatch(
      /^plim: Cannot reach a coordinator at \/nonexistent\/docker\.sock: .* Start one with "plim up"/,
    );
  });
});
