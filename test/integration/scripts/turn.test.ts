/** Two runs of the tests on one machine: the second waits for the first, and says for whom. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageRoot } from '../../../runtime/version.ts';
import { eventually } from '../../support/eventually.ts';

const script = join(packageRoot(), 'scripts', 'test.d', 'turn.sh');

interface Run {
  readonly process: ChildProcess;
  said(): string;
}

let folder = '';
let runs: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-turn-'));
});

afterEach(async () => {
  for (const run of runs) run.kill('SIGKILL');
  runs = [];
  rmSync(folder, { recursive: true });
});

/** A run that takes its turn, says `began`, does `work` and ends. */
function begin(seconds: number, work: string): Run {
  const program = `source "$1"; take_turn "$2" "$3" || exit 1; echo began; ${work}`;
  const process = spawn('bash', ['-c', program, 'run', script, join(folder, 'lock'), String(seconds)]);
  let text = '';
  for (const stream of [process.stdout, process.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)));
  runs.push(process);
  return { process, said: () => text };
}

const has = (run: Run, words: string) =>
  eventually(() => run.said().includes(words), { what: `a run to say ${words}` });

it('waits for the run before it and then begins', async () => {
  const first = begin(5, 'read -r');
  await has(first, 'began');
  const second = begin(30, 'true');
  await has(second, `Process ${first.process.pid} runs the tests on this machine: waiting`);
  expect(second.said()).not.toContain('began');
  first.process.stdin?.end();
  await has(second, 'began');
});

it('begins when the run before it was killed, whatever that left running', async () => {
  const first = begin(5, '{ sleep 60 9>&- & echo left $!; }; read -r');
  await has(first, 'left');
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');
  const left = Number(/left (\d+)/.exec(first.said())?.[1]);
  try {
    const second = begin(5, 'true');
    await has(second, 'began');
    expect(second.said()).not.toContain('waiting');
  } finally {
    process.kill(left);
  }
});

it('gives up on one that does not end, and names it', async () => {
  const first = begin(5, 'read -r');
  await has(first, 'began');
  const second = begin(0, 'true');
  await has(second, `Cannot run the tests: process ${first.process.pid} still runs them after 0 s`);
  expect(second.said()).not.toContain('began');
});
