/** A service's life: made, scaled, updated, rolled back, asked why it does not run, removed. */

import type { ComparedCommand } from '../compared-command.ts';
import { create, image, inspect, tasks } from './words.ts';

const everyFlag = `
  --replicas 2 --label a=b --container-label c=d --env E=1 --workdir /tmp --user 0:0 --hostname
  {{.Node.Hostname}}-{{.Task.Slot}} --host db:10.0.0.9 --dns 9.9.9.9 --init --read-only --mount
  type=tmpfs,target=/scratch,tmpfs-size=1000000 --mount type=volume,source=v1,target=/data
  --stop-grace-period 1s --stop-signal SIGKILL --health-cmd true --health-interval 1s --limit-cpu 0.5
  --limit-memory 64m --reserve-memory 8m --ulimit nofile=100:200 --cap-add NET_ADMIN
  --restart-condition on-failure --restart-max-attempts 3 --restart-delay 1s --constraint
  node.role!=nobody --placement-pref spread=node.labels.zone --replicas-max-per-node 2
  --update-parallelism 2 --update-order start-first --rollback-monitor 1s
  --log-driver json-file --log-opt max-size=1m --publish published=18080,target=80,mode=host
`;

export const lifecycleCommands: readonly ComparedCommand[] = [
  { name: 'nodes', args: ['node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'] },
  { name: 'node labels', args: ['node', 'update', '--label-add', 'zone=a', 'h1'] },
  { name: 'node spec', args: ['node', 'inspect', '--format', '{{json .Spec}}', 'h1'] },
  { name: 'unknown node', args: ['node', 'inspect', 'nobody'] },
  { name: 'live node stays', args: ['node', 'rm', 'h2'] },
  { name: 'second init', args: ['swarm', 'init'] },
  { name: 'no unlock key', args: ['swarm', 'unlock-key'] },

  { name: 'bad name', args: [...create, '--name', '-x', image] },
  { name: 'bad image', args: [...create, '--name', 'x', 'BAD:IMAGE'] },
  { name: 'little memory', args: [...create, '--limit-memory', '1m', '--name', 'x', image] },
  {
    name: 'bad constraint',
    args: [...create, '--constraint', 'node.role', '--name', 'x', image],
  },
  {
    name: 'ingress and dnsrr',
    args: [...create, '--endpoint-mode', 'dnsrr', '--publish', '1:1', '--name', 'x', image],
  },
  { name: 'missing secret', args: [...create, '--secret', 'nothere', '--name', 'x', image] },
  { name: 'missing network', args: [...create, '--network', 'nothere', '--name', 'x', image] },
  { name: 'unknown service', args: ['service', 'inspect', 'nothere'] },
  { name: 'tasks of nothing', args: ['service', 'ps', 'nothere'] },
  { name: 'logs of nothing', args: ['service', 'logs', 'nothere'] },
  { name: 'remove nothing', args: ['service', 'rm', 'nothere'] },
  { name: 'no services', args: ['service', 'ls'] },

  { name: 'create', args: [...create, '--name', 'web', '--replicas', '3', image] },
  { name: 'create again', args: [...create, '--name', 'web', image] },
  { name: 'list', args: ['service', 'ls', '--format', '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'] },
  { name: 'tasks', args: tasks('{{.Name}} {{.Image}} {{.DesiredState}} {{.Error}}', 'web') },
  { name: 'spec', args: inspect('{{json .Spec}}', 'web') },
  { name: 'no roll-out', args: inspect('{{json .UpdateStatus}}', 'web') },
  { name: 'nothing to roll back to', args: ['service', 'rollback', '--detach', 'web'] },
  {
    name: 'scale',
    args: ['service', 'scale', 'web=2'],
    ignored: /verify: Waiting.*\n|overall progress: [^2] out of 2.*\n/g,
  },
  {
    name: 'scaled',
    args: tasks('{{.Name}} {{.DesiredState}}', 'web'),
    until: /^(web\.\d Running\n){2}$/,
    ignored: /web\.\d/g,
  },
  { name: 'update', args: ['service', 'update', '--quiet', '--env-add', 'A=b', 'web'] },
  { name: 'updated', args: inspect('{{.UpdateStatus.State}} {{.UpdateStatus.Message}}', 'web'), until: /completed/ },
  {
    name: 'task history',
    args: tasks('{{.Name}} {{.DesiredState}}', 'web'),
    until: /(Shutdown[^]*){2}/,
    ignored: /web\.\d/g,
  },
  { name: 'roll back', args: ['service', 'rollback', '--quiet', 'web'] },
  {
    name: 'rolled back',
    args: inspect('{{.UpdateStatus.State}} {{.UpdateStatus.Message}}', 'web'),
    until: /completed/,
  },
  { name: 'previous spec', args: inspect('{{json .PreviousSpec}}', 'web') },

  { name: 'every flag', args: [...create, '--name', 'full', ...everyFlag.trim().split(/\s+/), image] },
  { name: 'every flag, spec', args: inspect('{{json .Spec}}', 'full') },
  { name: 'every flag, endpoint', args: inspect('{{json .Endpoint}}', 'full') },
  { name: 'every flag, untouched update', args: ['service', 'update', '--detach', '--env-add', 'E=1', 'full'] },
  { name: 'every flag, same tasks', args: tasks('{{.Name}} {{.DesiredState}}', 'full') },

  { name: 'global', args: [...create, '--name', 'everywhere', '--mode', 'global', image] },
  {
    name: 'global, listed',
    args: ['service', 'ls', '--filter', 'name=everywhere', '--format', '{{.Mode}} {{.Replicas}}'],
  },
  { name: 'global does not scale', args: ['service', 'scale', 'everywhere=3'] },
  {
    name: 'talks',
    args: [...create, '--name', 'talks', image, 'sh', '-c', 'echo one; sleep 1; echo two >&2; exec sleep 1000'],
  },
  { name: 'logs', args: ['service', 'logs', '--no-task-ids', '--no-resolve', 'talks'], until: /one/ },
  { name: 'raw logs', args: ['service', 'logs', '--raw', '--tail', '1', 'talks'], until: /two/ },

  {
    name: 'fails',
    args: [...create, '--detach', '--restart-condition', 'none', '--name', 'fails', image, 'sh', '-c', 'exit 3'],
  },
  { name: 'fails, why', args: tasks('{{.DesiredState}} {{.Error}}', 'fails'), until: /Shutdown/ },
  { name: 'nowhere', args: [...create, '--detach', '--constraint', 'node.labels.x==y', '--name', 'nowhere', image] },
  { name: 'nowhere, state', args: tasks('{{.Name}} {{.Node}} {{.DesiredState}}', 'nowhere'), until: /nowhere/ },
  { name: 'remove', args: ['service', 'rm', 'web', 'full', 'everywhere', 'talks', 'fails', 'nowhere'] },
  { name: 'all gone', args: ['service', 'ls', '--quiet'] },
];
