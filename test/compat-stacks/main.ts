/**
 * `npm run compat:stacks -- DIR`: deploys every stack file (*.yml) of DIR on a lab, with stand-ins for its images, and prints
 * a table of what came of it. `--docker PROGRAM` chooses the CLI. Needs root. Exit code 1: a stack did not converge; 2: it
 * could not be tried.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';
import { packageRoot } from '../../runtime/version.ts';
import { describeLab, type Lab, labCommandAt } from '../support/lab.ts';
import { deployStack } from './deployment.ts';
import { runnableStack, STAND_IN_IMAGE } from './stand-in.ts';

const usage = 'Usage: npm run compat:stacks -- DIR [--docker PROGRAM] [--only FILE]';
const place = { name: process.env['LAB_NAME'] ?? 'stacks', subnet: process.env['LAB_SUBNET'] ?? '10.99.71' };
const CONVERGE_MS = 120_000;

const { values, positionals } = parseArgs({
  options: { docker: { type: 'string', default: 'docker' }, only: { type: 'string' } },
  allowPositionals: true,
});
const [directory] = positionals;
if (directory === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exit(2);
}

const command = labCommandAt(place);
try {
  await command('up', '--engine', 'plimsoll', '--hosts', '3');
  await command('image', join(packageRoot(), 'test', 'compat-stacks', 'stand-in'), STAND_IN_IMAGE);
  process.exitCode = (await deployAll(directory, describeLab(await command('env'), command))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`compat:stacks: ${messageOf(error)}\n`);
  process.exitCode = 2;
} finally {
  await command('down');
}

/** Answers whether all converged. */
async function deployAll(directory: string, lab: Lab): Promise<boolean> {
  const worker = lab.hosts.at(-1)?.name ?? '';
  const options = { program: values.docker, socket: lab.clusterSocket, worker, withinMs: CONVERGE_MS };
  let failures = 0;
  process.stdout.write('STACK FILE                         SERVICES  TASKS  SECONDS  CHANGED\n');
  for (const file of stackFiles(directory)) {
    try {
      const stack = runnableStack(readFileSync(join(directory, file), 'utf8'), openFilesAtMost());
      const { services, tasks, seconds } = await deployStack(stack, options);
      const cells = [String(services).padStart(8), String(tasks).padStart(5), seconds.toFixed(1).padStart(7)];
      process.stdout.write(`${file.padEnd(34)} ${cells.join('  ')}  ${stack.changes.join('; ')}\n`);
    } catch (error) {
      failures += 1;
      process.stdout.write(`${file.padEnd(34)} FAILED: ${messageOf(error)}\n`);
    }
  }
  return failures === 0;
}

function openFilesAtMost(): number {
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard);
}

function stackFiles(directory: string): string[] {
  const files = readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
  const wanted = files.filter((name) => values.only === undefined || name === values.only).sort();
  if (wanted.length === 0) throw new Error(`There is no stack file in ${directory}`);
  return wanted;
}
