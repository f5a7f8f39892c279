import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LogsRequest } from '../../../model/messages.ts';
import { DockerApiServer, nodeIdOf } from '../../support/docker-api-server.ts';
import { engineFrame } from '../../support/engine-frames.ts';
import { eventually } from '../../support/eventually.ts';

const cache = process.env.PLIMSOLL_CACHE_DIR ?? '/var/cache/plimsoll';
/** The machine's own CLI, and the newest one: scripts/test unpacks it there. */
const clients = ['docker', `${cache}/programs/docker-cli/usr/bin/docker`];
const create = ['service', 'create', '--detach', '--no-resolve-image', '--name'];

describe.each(clients)('%s against the Engine API', (cli) => {
  let cluster: DockerApiServer;
  const docker = (...args: string[]) => cluster.docker(args, cli);

  beforeEach(async () => {
    cluster = await DockerApiServer.start();
    await cluster.addNode('h1');
    await cluster.addNode('h2', { address: '10.99.0.2' });
  });

  afterEach(() => cluster.stop());

  describe('system and swarm', () => {
    it('negotiates a version and shows the cluster', async () => {
      expect((await docker('version', '--format', '{{.Server.APIVersion}} {{.Server.Platform.Name}}')).stdout).toBe(
        '1.51 Plimsoll\n',
      );
      const swarm =
        '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}} {{.Swarm.Managers}} {{.NCPU}}';
      expect((await docker('info', '--format', swarm)).stdout).toBe('active true 2 1 4\n');
    });

    it.each([
      [['swarm', 'init'], 'This node is already part of a swarm'],
      [['swarm', 'join', '--token', 'T', '10.0.0.1'], 'run `plim join TOKEN ADDRESS`'],
      [['swarm', 'leave'], 'run `plim leave`'],
      [['swarm', 'update', '--autolock'], 'EncryptionConfig.AutoLockManagers'],
      [['swarm', 'update', '--snapshot-interval', '5'], 'Raft.SnapshotInterval'],
      [['swarm', 'update', '--dispatcher-heartbeat', '9s'], 'Dispatcher.HeartbeatPeriod'],
      [['swarm', 'ca', '--rotate', '--detach'], 'CAConfig.ForceRotate'],
      [['swarm', 'join-token', '--rotate', 'worker'], 'rotateWorkerToken'],
      [['swarm', 'unlock-key'], 'no unlock key is set'],
      [['swarm', 'unlock'], 'swarm is not locked'],
      [['run', 'busybox'], 'single containers: create a service'],
      [['network', 'create', 'n'], 'networks of driver bridge'],
      [['node', 'promote', 'h2'], 'role of a node'],
      [['node', 'rm', 'h2'], `node ${nodeIdOf('h2')} is not down and can't be removed`],
      [['node', 'rm', '--force', 'h1'], `node ${nodeIdOf('h1')} is a cluster manager and can't be removed`],
      [['system', 'df'], 'Plimsoll does not support disk usage of the cluster (not supported)'],
      [['image', 'prune', '--force'], 'Plimsoll does not support pruning images (not supported)'],
      [['import', '/bin/busybox'], 'Plimsoll does not support importing images (not supported)'],
    ])('%j is refused by name', async (args, sentence) => {
      const { code, stderr } = await docker(...args);
      expect(code).not.toBe(0);
      expect(stderr).toContain(sentence);
    });

    it('prints our token and CA', async () => {
      expect((await docker('swarm', 'join-token', '--quiet', 'worker')).stdout).toBe('PLIM-1-test\n');
      expect((await docker('swarm', 'ca')).stdout).toContain('BEGIN CERTIFICATE');
    });

    it('changes the task history limit', async () => {
      expect((await docker('swarm', 'update', '--task-history-limit', '7')).code).toBe(0);
      expect(cluster.snapshot().cluster?.value.taskHistoryLimit).toBe(7);
    });

    it.each([
      [['network', 'ls', '--format', '{{.Name}}'], 'bridge\nhost\nnone\n'],
      [['volume', 'ls', '--quiet'], ''],
      [['secret', 'ls', '--quiet'], ''],
      [['config', 'ls', '--quiet'], ''],
      [['stack', 'ls', '--format', '{{.Name}}'], ''],
    ])('%j lists honestly what there is', async (args, stdout) => {
      expect(await docker(...args)).toMatchObject({ code: 0, stdout });
    });
  });

  describe('nodes', () => {
    it('lists nodes with the leader and the one we speak to', async () => {
      const format = '{{.Hostname}} {{.Self}} {{.Status}} {{.Availability}} [{{.ManagerStatus}}] {{.EngineVersion}}';
      cluster.setNodeState('h2', 'lost', 'no beat for 3 s');
      expect((await docker('node', 'ls', '--format', format)).stdout).toBe(
        'h1 true Ready Active [Leader] 28.5.2\nh2 false Down Active [] 28.5.2\n',
      );
    });

    it('labels, drains and removes a node', async () => {
      expect((await docker('node', 'update', '--label-add', 'zone=a', '--availability', 'drain', 'h2')).code).toBe(0);
      const format = '{{.Spec.Availability}} {{.Spec.Labels.zone}}';
      expect((await docker('node', 'inspect', 'h2', '--format', format)).stdout).toBe('drain a\n');
      expect((await docker('node', 'rm', '--force', 'h2')).code).toBe(0);
      await eventually(() => cluster.snapshot().nodeSpecs.size === 1);
      expect(cluster.revokedNodes).toEqual([nodeIdOf('h2')]);
    });
  });

  describe('services', () => {
    it('creates, lists, shows and removes', async () => {
      const created = await docker(
        ...create,
        'web',
        '--replicas',
        '3',
        '--publish',
        '80:8080',
        'plimsoll/sleep:1',
        'sleep',
      );
      expect(created.code).toBe(0);
      expect(created.stderr).toBe('');
      await cluster.runTasks('web');
      const format = '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}';
      const list = await docker('service', 'ls', '--format', format);
      expect(list.stdout).toBe('web replicated 3/3 plimsoll/sleep:1 *:80->8080/tcp\n');
      const tasks = await docker('service', 'ps', 'web', '--format', '{{.Name}} {{.Node}} {{.DesiredState}}');
      expect(tasks.stdout).toBe('web.1 h1 Running\nweb.2 h1 Running\nweb.3 h1 Running\n');
      expect((await docker('service', 'rm', 'web')).stdout).toBe('web\n');
      expect((await docker('service', 'ls', '--quiet')).stdout).toBe('');
      expect((await docker('service', 'inspect', 'web')).stderr).toContain('no such service: web');
      expect((await docker(...create, 'web', '--publish', '80:8080', 'plimsoll/sleep:1')).code).toBe(0);
    });

    it('waits until the tasks run', async () => {
      const creating = docker(
        'service',
        'create',
        '--no-resolve-image',
        '--name',
        'web',
        '--update-monitor',
        '1s',
        'a:1',
      );
      await eventually(() => cluster.service('web'));
      await cluster.runTasks('web');
      expect(await creating).toMatchObject({ code: 0, stdout: expect.stringContaining('converged') });
    });

    it('scales, updates and rolls back', async () => {
      await docker(...create, 'web', 'plimsoll/sleep:1');
      expect((await docker('service', 'scale', '--detach', 'web=4')).stdout).toBe('web scaled to 4\n');
      expect(cluster.service('web')).toMatchObject({ revision: 1, spec: { Mode: { Replicated: { Replicas: 4 } } } });
      const image = '{{.Spec.TaskTemplate.ContainerSpec.Image}} {{with .UpdateStatus}}{{.State}}{{end}}';
      const show = async () => (await docker('service', 'inspect', 'web', '--format', image)).stdout;
      expect(await show()).toBe('plimsoll/sleep:1 \n');
      const update = ['service', 'update', '--detach', '--no-resolve-image', '--image', 'plimsoll/sleep:2', 'web'];
      expect((await docker(...update)).code).toBe(0);
      expect(await show()).toBe('plimsoll/sleep:2 updating\n');
      expect((await docker('service', 'rollback', '--detach', 'web')).code).toBe(0);
      expect(await show()).toBe('plimsoll/sleep:1 rollback_started\n');
      expect(cluster.service('web').revision).toBe(1);
      expect((await docker('service', 'update', '--detach', '--rollback', 'web')).code).toBe(0);
      expect(await show()).toBe('plimsoll/sleep:2 rollback_started\n');
    });

    it('makes nothing new for an update that says the same', async () => {
      await docker(...create, 'web', '--publish', '80:80', '--env', 'A=b', '--mount', 'type=tmpfs,target=/t', 'a:1');
      expect((await docker('service', 'update', '--detach', '--env-add', 'A=b', 'web')).code).toBe(0);
      expect(cluster.service('web').revision).toBe(1);
      expect((await docker('service', 'update', '--detach', '--force', 'web')).code).toBe(0);
      expect(cluster.service('web').revision).toBe(2);
    });

    it.each([
      [['--publish', '80:80'], "port '80' is already in use by service 'taken'"],
      [['--constraint', 'node.colour==red'], "constraint key 'node.colour' is unknown"],
      [['--limit-memory', '1m'], 'invalid memory value 1048576: Must be at least 4MiB'],
      [['--endpoint-mode', 'dnsrr', '--publish', '81:81'], "can't be used with dnsrr mode"],
      [['--label', 'plimsoll.falover=1'], 'plimsoll.falover'],
      [['--mount', 'type=npipe,source=/a,target=/b'], 'Mounts[0].Type'],
      [['--credential-spec', 'file://x'], 'Privileges.CredentialSpec'],
      [['--network', 'nothere'], 'network nothere not found'],
    ])('refuses %j before anything is written', async (flags, sentence) => {
      await docker(...create, 'taken', '--publish', '80:80', 'a:1');
      const { code, stderr } = await docker(...create, 'web', ...flags, 'a:1');
      expect(code).not.toBe(0);
      expect(stderr).toContain(sentence);
      expect(cluster.snapshot().services.size).toBe(1);
    });

    it('says why a task is not running', async () => {
      await docker(...create, 'web', 'gone:1');
      await cluster.runTasks('web', 'h1', { state: 'rejected', message: 'preparing', error: 'No such image: gone:1' });
      const format = '{{.Name}} {{.DesiredState}} {{.Error}}';
      expect((await docker('service', 'ps', 'web', '--format', format)).stdout).toBe(
        'web.1 Ready \nweb.1 Shutdown "No such image: gone:1"\n',
      );
    });
  });

  describe('logs and events', () => {
    const logOf = (taskNumber: number) => engineFrame(1, `2026-11-23T00:00:0${taskNumber}.5Z hello ${taskNumber}\n`);

    it('shows the logs of every node, and says which node it could not ask', async () => {
      await docker(...create, 'web', '--replicas', '2', 'a:1');
      const [first, second] = await cluster.runTasks('web');
      const answers = cluster.connection.bus.answerStream(
        nodeIdOf('h1'),
        'logs',
        LogsRequest,
        async function* (request) {
          yield request.taskId === first?.id ? logOf(1) : logOf(2);
        },
      );
      const { code, stdout } = await docker('service', 'logs', '--no-trunc', 'web');
      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n').sort()).toEqual([
        `web.1.${first?.id}@h1    | hello 1`,
        `web.2.${second?.id}@h1    | hello 2`,
      ]);
      expect((await docker('service', 'logs', '--raw', '--timestamps', 'web.1', `${first?.id}`)).code).not.toBe(0);
      expect((await docker('service', 'logs', '--raw', '--timestamps', `${first?.id}`)).stdout).toBe(
        '2026-11-23T00:00:01.5Z hello 1\n',
      );
      cluster.setNodeState('h1', 'lost');
      const cut = await docker('service', 'logs', 'web');
      expect(cut.code).toBe(1);
      expect(cut.stderr).toContain(`node ${nodeIdOf('h1')} is not available`);
      answers.stop();
    });

    it('follows logs until the service is gone', async () => {
      await docker(...create, 'web', 'a:1');
      await cluster.runTasks('web');
      const asked: LogsRequest[] = [];
      const bus = cluster.connection.bus;
      const answers = bus.answerStream(nodeIdOf('h1'), 'logs', LogsRequest, async function* (request, signal) {
        asked.push(request);
        yield logOf(1);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      });
      const following = docker('service', 'logs', '--follow', '--tail', '5', '--raw', 'web');
      await eventually(() => asked.length > 0);
      expect(asked[0]).toMatchObject({ follow: true, tail: 5 });
      await docker('service', 'rm', 'web');
      expect(await following).toMatchObject({ code: 0, stdout: 'hello 1\n' });
      answers.stop();
    });

    it('shows events from a time on', async () => {
      await docker(...create, 'web', 'a:1');
      await docker('service', 'rm', 'web');
      const format = '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}';
      const until = `${Math.ceil(Date.now() / 1000) + 1}`;
      const { stdout } = await docker('events', '--since', '1', '--until', until, '--format', format);
      expect(stdout).toBe('service create web\nservice remove web\n');
    });
  });

  describe('containers', () => {
    const container = {
      Id: 'c0ffee'.padEnd(64, '0'),
      Names: ['/web.1.x'],
      Image: 'a:1',
      State: 'running',
      Created: 1,
      Labels: {},
    };

    it('lists and inspects those of all nodes; a silent node is left out', async () => {
      const { bus } = cluster.connection;
      const answers = [
        bus.answer(nodeIdOf('h1'), 'containers', z.unknown(), async () => ({ containers: [container] })),
        bus.answer(nodeIdOf('h1'), 'inspect', z.unknown(), async () => ({ container: { Id: container.Id } })),
      ];
      expect((await docker('ps', '--format', '{{.ID}} {{.Names}}')).stdout).toBe('c0ffee000000 web.1.x\n');
      expect((await docker('inspect', '--format', '{{.Id}}', 'web.1.x')).stdout).toBe(`${container.Id}\n`);
      expect((await docker('ps', '--filter', 'status=exited', '--quiet')).stdout).toBe('');
      for (const answer of answers) answer.stop();
    });
  });
});
