/** `plim agent`: the daemon of one host. */
import type { Command } from 'commander';
import { runUntilTold } from '../run-daemon.ts';
import { addStateDirOption, DEFAULT_DOCKER, settingsOf } from '../settings.ts';

export function addAgentCommand(program: Command): void {
  const command = program.command('agent').description("keep this host's containers as the cluster wants them");
  addStateDirOption(command)
    .option('--docker <url>', `this host's Docker Engine (default "${DEFAULT_DOCKER}")`)
    .option('--address <address>', 'IPv4 address other hosts reach this one at (default: found out)')
    .option('--port <port>', 'port of /metrics and /healthz (default 7701)')
    .option('--starts-at-once <number>', 'containers created and started at the same time (default 4)')
    .option('--no-manage-live-restore', "leave live-restore in the engine's configuration as it is")
    .option('--docker-config-file <path>', 'configuration of the engine (default "/etc/docker/daemon.json")')
    .option('--image-cleanup-above <share>', "remove unused images when the engine's disk is fuller (default 0.85)")
    .option('--measure-layers', "find out how much the containers' writable layers hold (walks over all their files)")
    .option('--files-dir <directory>', 'in memory: where secrets and configs lie (default "/run/plimsoll/files")')
    .option('--proc-root <directory>', 'where the host\'s /proc is seen, for an agent in a container (default "/proc")')
    .option('--sys-root <directory>', 'the same of /sys (default "/sys")')
    .option('--rootfs <directory>', 'the same of / (default "/")')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default "info")')
    .option('--config <file>', 'read settings from this YAML file')
    .addHelpText('after', '\nThe host must have joined a cluster: plim join. Stopping the agent stops no container.')
    .action((_flags: unknown, given: Command) => run(given));
}

/** Loaded when wanted: the other commands should not wait for the engine's and the bus' clients. */
async function run(given: Command): Promise<void> {
  const [{ startAgent }, { realParts }, { AgentSettings }] = await Promise.all([
    import('../../agent/agent.ts'),
    import('../../agent/real-parts.ts'),
    import('../../agent/settings.ts'),
  ]);
  const settings = settingsOf(AgentSettings, given);
  await runUntilTold(() => startAgent(settings, realParts(settings)));
}
