/** One virtual engine: the real CLIs against a coordinator, and a real engine on a node behind it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SESSIONS_AT_ONCE } from '../../../agent/engine-sessions.ts';
import { containerLabels } from '../../../model/labels.ts';
import { type CommandResult, DockerApiServer, nodeIdOf } from '../../support/docker-api-server.ts';
import { EngineNode } from '../../support/engine-node.ts';
import { eventually } from '../../support/eventually.ts';
import { type PrivateEngine, startPrivateEngine, testImage } from '../../support/private-engine.ts';

const cache = process.env.PLIMSOLL_CACHE_DIR ?? '/var/cache/plimsoll';
/** The CLI beside the machine's own engine, and the newest one: scripts/test unpacks it there. */
const clients = ['/usr/bin/docker', `${cache}/programs/docker-cli/usr/bin/docker`];
const DETACH = Buffer.from([0x10, 0x11]);

let engine: PrivateEngine;
let cluster: DockerApiServer;
let node: EngineNode;
let folder: string;

beforeAll(async () => {
  engine = await startPrivateEngine();
  await engine.docker('run', '-d', '--name', 'shop', '--stop-timeout', '1', testImage, 'sleep', '1000');
  await engine.docker('run', '-di', '--name', 'echo', testImage, 'cat');
  await engine.docker('run', '-dit', '--name', 'shell', testImage, 'sh');
}, 120_000);
afterAll(() => engine?.stop(), 60_000);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-virtual-'));
  cluster = await DockerApiServer.start();
  await cluster.addNode('h1');
  await cluster.addNode('h2', { address: '10.99.0.2' });
  node = new EngineNode(cluster.connection.bus, nodeIdOf('h2'), engine.address);
});

afterEach(async () => {
  await cluster.stop();
  node.stop();
  rmSync(folder, { recursive: true });
});

interface Terminal {
  readonly child: ChildProcess;
  /** All that was shown so far. */
  readonly shown: () => string;
  readonly ended: Promise<CommandResult>;
}

/** A client with pipes, or, through script(1), with a terminal. */
function start(cli: string, args: readonly string[], onTerminal = false): Terminal {
  const words = [cli, ...args].map((word) => `'${word}'`).join(' ');
  const [program, programArgs] = onTerminal ? ['script', ['-qefc', words, '/dev/null']] : [cli, [...args]];
  const env = { ...process.env, DOCKER_HOST: `unix://${cluster.socketPath}`, DOCKER_CONFIG: '/nonexistent' };
  const child = spawn(program, programArgs, { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes;
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<CommandResult>((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { child, shown: () => stdout + stderr, ended };
}

/** Until a container named shop has this process, and the request that started it is all that is open. */
const processRuns = (command: string) =>
  eventually(async () => (await engine.docker('top', 'shop')).includes(command) && (await node.openSessions()) === 1, {
    what: `${command} to run`,
  });
const hasNoSession = async () => (await node.openSessions()) === 0;

describe.each(clients)('%s reaches into containers of a node', (cli) => {
  const docker = (...args: string[]) => cluster.docker(args, cli);

  it('exec: output, errors and exit code', async () => {
    const { code, stdout, stderr } = await docker('exec', 'shop', 'sh', '-c', 'echo out; echo err >&2; exit 7');

    expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  it('exec -i: a megabyte of input comes back, and its end ends the process', async () => {
    const { child, ended } = start(cli, ['exec', '-i', 'shop', 'cat']);
    const sent = 'x'.repeat(99).concat('\n').repeat(10_000);
    child.stdin?.end(sent);

    const { code, stdout } = await ended;

    expect({ code, isWhole: stdout === sent }).toEqual({ code: 0, isWhole: true });
  });

  it('exec -it: a terminal of the client’s size', async () => {
    const { shown, ended } = start(
      cli,
      ['exec', '-it', 'shop', 'sh', '-c', 'test -t 0 && echo it is a terminal'],
      true,
    );

    expect((await ended).code).toBe(0);
    expect(shown()).toContain('it is a terminal');
  });

  it('exec -d goes on without us', async () => {
    const { code, stdout } = await docker('exec', '-d', 'shop', 'touch', '/tmp/was-here');

    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    await eventually(() => engine.docker('exec', 'shop', 'test', '-e', '/tmp/was-here').then(() => true));
  });

  it('exec of what is not there has the engine’s exit code and words', async () => {
    const { code, stderr, stdout } = await docker('exec', 'shop', 'nonsense');

    expect([126, 127]).toContain(code);
    expect(stdout + stderr).toContain('nonsense');
  });

  it('a client that is killed leaves no session behind, though its process says nothing', async () => {
    const command = `sleep ${2000 + clients.indexOf(cli)}`;
    const { child, ended } = start(cli, ['exec', 'shop', ...command.split(' ')]);
    await processRuns(command);
    child.kill('SIGKILL');
    await ended;

    await eventually(hasNoSession, { what: 'no session to be open' });
  });

  it('a client that is killed while it begins leaves no session behind either', async () => {
    const killed = Array.from({ length: 6 }, async (_, index) => {
      const { child, ended } = start(cli, ['exec', 'shop', 'sleep', '4000']);
      await new Promise((resolve) => setTimeout(resolve, 20 * index));
      child.kill('SIGKILL');
      await ended;
    });
    await Promise.all(killed);

    await eventually(hasNoSession, { what: 'no session to be open' });
  });

  it('attach: input reaches the container, detach keys leave it running', async () => {
    const { child, shown, ended } = start(cli, ['attach', 'shell'], true);
    child.stdin?.write('echo a$((40+2))b\n');
    await eventually(() => shown().includes('a42b'), { what: 'the shell to answer' });
    // The terminal sends them one by one, as a person does.
    child.stdin?.write(DETACH.subarray(0, 1));
    child.stdin?.write(DETACH.subarray(1));

    await ended;
    expect(shown()).toMatch(/read escape sequence|detached/);
    expect(await engine.docker('inspect', '-f', '{{.State.Running}}', 'shell')).toBe('true');
    await eventually(hasNoSession, { what: 'no session to be open' });
  });

  it('logs, top, port, diff, inspect, cp', async () => {
    const { child, shown, ended } = start(cli, ['logs', '-f', 'echo']);
    const written = start(cli, ['attach', 'echo']);
    written.child.stdin?.write('to be logged\n');
    await eventually(() => shown().includes('to be logged'), { what: 'the log to be followed' });
    // Not SIGTERM: that is passed on to the container.
    child.kill('SIGKILL');
    written.child.kill('SIGKILL');
    await Promise.all([ended, written.ended]);
    await eventually(hasNoSession, { what: 'no session to be open' });
    writeFileSync(join(folder, 'file'), 'copied there and back');

    expect((await docker('top', 'shop')).stdout).toContain('sleep 1000');
    expect((await docker('inspect', '-f', '{{.Name}}', 'shop')).stdout).toBe('/shop\n');
    expect((await docker('port', 'shop')).code).toBe(0);
    expect((await docker('cp', join(folder, 'file'), 'shop:/tmp/file')).code).toBe(0);
    expect((await docker('diff', 'shop')).stdout).toContain('A /tmp/file');
    expect((await docker('exec', 'shop', 'cat', '/tmp/file')).stdout).toBe('copied there and back');
    expect((await docker('cp', 'shop:/tmp/file', '-')).stdout).toContain('copied there and back');
  });

  it('stop, start, kill, pause, restart, wait, rm of a container that is nobody’s task', async () => {
    await engine.docker(
      'run',
      '-d',
      '--name',
      'lone',
      testImage,
      'sh',
      '-c',
      'trap "exit 3" TERM; while true; do sleep 0.1; done',
    );
    const state = () => engine.docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'lone');

    const waiting = docker('wait', 'lone');
    expect((await docker('pause', 'lone')).code).toBe(0);
    expect(await state()).toBe('paused 0');
    expect((await docker('unpause', 'lone')).code).toBe(0);
    expect((await docker('stop', 'lone')).code).toBe(0);
    expect(await state()).toBe('exited 3');
    expect((await waiting).stdout).toBe('3\n');
    expect((await docker('start', 'lone')).code).toBe(0);
    expect((await docker('restart', '-t', '0', 'lone')).code).toBe(0);
    expect(await state()).toBe('running 0');
    expect((await docker('kill', '-s', 'KILL', 'lone')).code).toBe(0);
    await eventually(async () => (await state()) === 'exited 137');
    expect((await docker('rm', 'lone')).code).toBe(0);
    expect((await docker('inspect', '--type', 'container', 'lone')).stderr).toMatch(/no such container/i);
  });

  it.each([
    ['rename', ['rename', 'shop', 'other'], 'does not support renaming containers'],
    ['update', ['update', '--memory', '64m', 'shop'], 'changing the limits of single containers'],
    ['commit', ['commit', 'shop'], 'does not support committing containers'],
  ])('%s is refused by name', async (_what, args, sentence) => {
    const { code, stderr } = await docker(...args);

    expect(code).not.toBe(0);
    expect(stderr).toContain(sentence);
  });

  describe('a node that is lost', () => {
    it('ends a session with a sentence, and the client with an error', async () => {
      const command = `sleep ${3000 + clients.indexOf(cli)}`;
      const { shown, ended } = start(cli, ['exec', 'shop', ...command.split(' ')]);
      await processRuns(command);
      cluster.setNodeState('h2', 'lost');

      expect((await ended).code).not.toBe(0);
      expect(shown()).toContain('node h2 is down');
      await eventually(hasNoSession, { what: 'no session to be open' });
    });

    it('ends a terminal', async () => {
      const { child, shown, ended } = start(cli, ['attach', 'shell'], true);
      child.stdin?.write('echo b$((2+3))c\n');
      await eventually(() => shown().includes('b5c'), { what: 'the shell to answer' });
      cluster.setNodeState('h2', 'lost');

      await ended;
      expect(shown()).toContain('node h2 is down');
    });

    it.each([
      ['logs', '-f', 'shop'],
      ['wait', 'shop'],
    ])('ends docker %s', async (...words) => {
      const { shown, ended } = start(cli, words);
      await eventually(async () => (await node.openSessions()) === 1, { what: 'the session to be open' });
      cluster.setNodeState('h2', 'lost');

      const { code } = await ended;
      // The older client takes the last words of a wait for JSON that is wrong; it fails, which is what counts.
      expect(shown()).toMatch(/node h2 is down|invalid character 'C'/);
      expect(code).not.toBe(0);
      await eventually(hasNoSession, { what: 'no session to be open' });
    });
  });
});

describe('SDKs and sockets', () => {
  const sdk = () => new Docker({ socketPath: cluster.socketPath });

  it('dockerode executes over a hijacked connection and learns the exit code', async () => {
    const exec = await sdk()
      .getContainer('shop')
      .exec({ Cmd: ['sh', '-c', 'cat; exit 4'], AttachStdin: true, AttachStdout: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.on('end', resolve));
    stream.end('through and through');
    await ended;

    expect(Buffer.concat(chunks).toString()).toContain('through and through');
    expect(await exec.inspect()).toMatchObject({ ExitCode: 4, Running: false });
  });

  it('a client that does not upgrade reads the output all the same', async () => {
    const exec = await sdk()
      .getContainer('shop')
      .exec({ Cmd: ['echo', 'plain'], AttachStdout: true });
    const stream = await exec.start({});
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));

    expect(Buffer.concat(chunks).toString()).toContain('plain');
  });

  it('a slow reader holds its own producer and nobody else', async () => {
    const exec = await sdk()
      .getContainer('shop')
      .exec({
        Cmd: [
          'sh',
          '-c',
          'i=0; while true; do i=$((i+1)); echo $i > /tmp/progress; echo "$i$(cat /bin/busybox)"; done',
        ],
        AttachStdout: true,
      });
    const stream = await exec.start({ hijack: true });
    stream.pause();
    const progress = () => engine.docker('exec', 'shop', 'cat', '/tmp/progress').then(Number);
    let before = 0;
    const isStuck = async () => {
      const now = await progress();
      const isSame = now > 0 && now === before;
      before = now;
      return isSame;
    };
    await eventually(isStuck, { intervalMs: 500, what: 'the producer to be held back' });
    const other = await cluster.docker(['exec', 'shop', 'echo', 'not held']);

    expect(other.stdout).toBe('not held\n');
    stream.destroy();
    await eventually(hasNoSession, { what: 'no session to be open' });
  });

  it('an exec is found on its node by a coordinator that did not make it', async () => {
    const id = await new Docker({ socketPath: engine.address.slice('unix://'.length) })
      .getContainer('shop')
      .exec({ Cmd: ['true'] })
      .then((exec) => exec.id);

    expect(await sdk().getExec(id).inspect()).toMatchObject({ ID: id });
    await expect(sdk().getExec('f'.repeat(64)).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('more sessions than a node takes are refused with a sentence', async () => {
    const path = '/containers/shop/logs?follow=1&stdout=1';
    const asked = Array.from({ length: SESSIONS_AT_ONCE + 1 }, () => {
      const one = { refusal: '' };
      const asking = request({ socketPath: cluster.socketPath, path }, (response) => {
        response.setEncoding('utf8').on('data', (text: string) => {
          if (response.statusCode !== 200) one.refusal += text;
        });
      });
      asking.on('error', () => undefined).end();
      return { one, end: () => asking.destroy() };
    });
    await eventually(() => asked.some(({ one }) => one.refusal !== ''), { what: 'one to be refused' });
    const refusals = asked.map(({ one }) => one.refusal).filter((refusal) => refusal !== '');
    for (const { end } of asked) end();

    expect(refusals).toEqual([expect.stringContaining(`${SESSIONS_AT_ONCE} sessions are open on this node`)]);
    await eventually(hasNoSession, { what: 'no session to be open' });
  });

  it('an upgrade nobody asked us for is answered as any request', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { Connection: 'Upgrade', Upgrade: 'h2c' };
      request({ socketPath: cluster.socketPath, method: 'POST', path: '/session', headers }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });

    expect(answer).toContain('does not support build sessions');
  });
});

describe('a task’s container', () => {
  it('is not started again: its service starts another one', async () => {
    const label = `${containerLabels.task}=task1`;
    await engine.docker('create', '--name', 'of-a-task', '--label', label, testImage, 'true');
    const { code, stderr } = await cluster.docker(['start', 'of-a-task']);
    await engine.docker('rm', 'of-a-task');

    expect(code).not.toBe(0);
    expect(stderr).toContain('docker service update --force');
  });
});
