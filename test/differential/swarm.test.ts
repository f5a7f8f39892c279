/** The same docker commands against Swarm and against Plimsoll, on the same hosts: same output, same exit codes. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandResult } from '../support/docker-api-server.ts';
import { eventually } from '../support/eventually.ts';
import { labCommand, labUp } from '../support/lab.ts';
import { comparedCommands } from './command-table.ts';
import { comparable } from './comparable-output.ts';
import type { ComparedCommand } from './compared-command.ts';
import { knownDifferences } from './known-differences.ts';

const MATCH_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 90_000;

describe('Plimsoll beside Swarm', () => {
  const outputs = { swarm: new Map<string, string>(), plimsoll: new Map<string, string>() };
  let config = '';

  beforeAll(async () => {
    process.env['LAB_NAME'] = 'labdiff';
    process.env['LAB_SUBNET'] = '10.99.8';
    process.env['LAB_DIR'] = '/var/lib/plimsoll-labdiff';
    process.env['LAB_GENERIC_RESOURCES'] = 'FPGA=F2,FPGA=F1';
    config = await mkdtemp(join(tmpdir(), 'plimsoll-docker-config-'));
    for (const engine of ['swarm', 'plimsoll'] as const) {
      const lab = await labUp({ engine, hosts: 2, modern: 2 });
      for (const command of comparedCommands) {
        outputs[engine].set(
          command.name,
          comparable(await runCommand(command, lab.clusterSocket, config), command.ignored),
        );
      }
      await lab.down();
    }
  }, 600_000);

  afterAll(async () => {
    await labCommand('down');
    await rm(config, { recursive: true, force: true });
  });

  const differences = knownDifferences();
  const differenceOf = (name: string) => differences.find(({ commands }) => commands.test(name));
  const differs = ({ name }: ComparedCommand) => outputs.plimsoll.get(name) !== outputs.swarm.get(name);

  it.each(comparedCommands.filter(({ name }) => differenceOf(name) === undefined))('$name', ({ name }) => {
    expect(outputs.plimsoll.get(name)).toBe(outputs.swarm.get(name));
  });

  it.each(differences)('differs: $title', ({ commands, plimsoll }) => {
    const different = comparedCommands.filter(({ name }) => commands.test(name)).filter(differs);
    expect(different).not.toHaveLength(0);
    for (const { name } of different) expect(outputs.plimsoll.get(name)).toMatch(plimsoll);
  });

  it('compares many commands, which differ seldom', () => {
    expect(comparedCommands.length).toBeGreaterThanOrEqual(120);
    expect(differences.length).toBeLessThanOrEqual(15);
  });
});

async function runCommand(command: ComparedCommand, socket: string, config: string): Promise<CommandResult> {
  let last: CommandResult = { code: -1, stdout: '', stderr: 'never run' };
  const attempt = async () => {
    last = await docker(command.args, socket, config);
    return command.until === undefined || command.until.test(last.stdout + last.stderr);
  };
  // A cluster that never gets there is shown as what it answered last.
  await eventually(attempt, { timeoutMs: MATCH_TIMEOUT_MS, intervalMs: 200 }).catch(() => undefined);
  return last;
}

function docker(args: readonly string[], socket: string, config: string): Promise<CommandResult> {
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: config };
  return new Promise((resolve) => {
    const child = execFile('docker', [...args], { env, timeout: COMMAND_TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? -1), stdout, stderr });
    });
  });
}
