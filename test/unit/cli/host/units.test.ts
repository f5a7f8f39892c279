import { describe, expect, it } from 'vitest';
import { systemdUnitText } from '../../../../cli/host/systemd-host.ts';
import { agentUnit, coordinatorUnit, engineUnits, natsUnit } from '../../../../cli/host/units.ts';

const host = {
  program: { nodePath: '/usr/bin/node', scriptPath: '/opt/plimsoll/dist/cli/plim.js' },
  build: '0.1.0',
  stateDir: '/var/lib/plimsoll',
  socket: '/run/plimsoll/docker.sock',
  address: '192.0.2.1',
  docker: 'unix:///var/run/docker.sock',
};

describe('units of a host', () => {
  it('run the daemons of plim with the layout of the host', () => {
    expect(coordinatorUnit(host).args.join(' ')).toBe(
      '--max-semi-space-size=4 /opt/plimsoll/dist/cli/plim.js coordinator --state-dir /var/lib/plimsoll --socket /run/plimsoll/docker.sock --advertise 192.0.2.1',
    );
    expect(agentUnit(host).args.join(' ')).toBe(
      '--max-semi-space-size=2 --no-short-builtin-calls /opt/plimsoll/dist/cli/plim.js agent --state-dir /var/lib/plimsoll --docker unix:///var/run/docker.sock --address 192.0.2.1',
    );
    expect(agentUnit(host).after).toContain('nats');
  });

  it('bound what the allocator of those daemons keeps', () => {
    expect(systemdUnitText(agentUnit(host))).toContain(
      '\nEnvironment="MALLOC_ARENA_MAX=1"\nEnvironment="MALLOC_TRIM_THRESHOLD_=131072"\n',
    );
    expect(coordinatorUnit(host).environment).toEqual(agentUnit(host).environment);
  });

  it('keep containers alive while dockerd is away, and containerd out of its hands', () => {
    const [containerd, dockerd] = engineUnits({
      socketPath: '/run/d.sock',
      directory: '/state/engine',
      runDir: '/run/plimsoll/engine',
      dockerd: '/usr/sbin/dockerd',
      containerd: '/usr/bin/containerd',
      dockerdArgs: ['--data-root', '/data'],
    });

    expect(dockerd.args).toContain('--live-restore');
    expect(dockerd.args.slice(-2)).toEqual(['--data-root', '/data']);
    expect(dockerd.args[dockerd.args.indexOf('--containerd') + 1]).toBe(
      containerd.args[containerd.args.indexOf('--address') + 1],
    );
    expect(dockerd.staleFiles).toContain('/run/d.sock');
  });
});

describe('systemdUnitText()', () => {
  it('ends the agent alone: wireguard-go carries encrypted networks while it starts again', () => {
    expect(systemdUnitText(agentUnit(host))).toMatch(/^KillMode=process$/m);
  });

  it('restarts for ever', () => {
    const text = systemdUnitText(agentUnit(host));

    expect(text).toContain('\nRestart=always\n');
    expect(text).toContain('\nStartLimitIntervalSec=0\n');
  });

  it('quotes what systemd would expand: $ in arguments alone, % everywhere', () => {
    const unit = natsUnit({ file: '/opt/5% $nats server', args: ['-c', '/etc/100%/$HOME "x"'] }, 'b1');

    const text = systemdUnitText({ ...unit, environment: { PRICE: '$5 "net" 100%' } });

    expect(text).toContain('ExecStart="/opt/5%% $nats server" "-c" "/etc/100%%/$$HOME \\"x\\""\n');
    expect(text).toContain('Environment="PRICE=$5 \\"net\\" 100%%"\n');
  });

  it('starts the agent after the bus and after the engine of the distribution', () => {
    expect(systemdUnitText(agentUnit(host))).toMatch(/^After=.* plimsoll-nats\.service docker\.service$/m);
  });

  it('starts the control plane without waiting for an engine', () => {
    expect(systemdUnitText(coordinatorUnit(host))).not.toContain('docker.service');
  });
});
