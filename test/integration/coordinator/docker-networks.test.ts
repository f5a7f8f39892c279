import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerApiServer } from '../../support/docker-api-server.ts';

const create = ['network', 'create', '--driver', 'overlay'];
const service = ['service', 'create', '--detach', '--no-resolve-image', '--name'];

describe('networks of the cluster over the docker CLI', () => {
  let cluster: DockerApiServer;
  const docker = (...args: string[]) => cluster.docker(args);
  const idOf = (name: string) =>
    [...cluster.snapshot().networks.values()].find(({ value }) => value.name === name)?.key;

  beforeEach(async () => {
    cluster = await DockerApiServer.start();
    await cluster.addNode('h1');
  });

  afterEach(() => cluster.stop());

  it('are made, listed, inspected and removed', async () => {
    const made = await docker(...create, '--internal', '--label', 'tier=db', '--subnet', '10.50.0.0/24', 'back');
    expect(made).toMatchObject({ code: 0, stdout: `${idOf('back')}\n` });

    expect((await docker('network', 'ls', '--filter', 'scope=swarm', '--format', '{{.Name}} {{.Driver}}')).stdout).toBe(
      'back overlay\n',
    );
    const shown = '{{.Name}} {{.Scope}} {{.Internal}} {{(index .IPAM.Config 0).Subnet}} {{index .Labels "tier"}}';
    expect((await docker('network', 'inspect', '--format', shown, 'back')).stdout).toBe(
      'back swarm true 10.50.0.0/24 db\n',
    );
    expect(await docker('network', 'rm', 'back')).toMatchObject({ code: 0 });
    expect((await docker('network', 'inspect', 'back')).stderr).toContain('network back not found');
  });

  it('cannot be removed while a service uses them; then their name is free again', async () => {
    await docker(...create, 'back');
    await docker(...service, 'db', '--network', 'name=back,alias=store', 'db:1');

    expect((await docker('network', 'rm', 'back')).stderr).toContain(
      `in use by service db (${cluster.service('db').id})`,
    );
    expect((await docker('network', 'prune', '--force')).stdout).not.toContain('back');
    expect(cluster.service('db').spec.TaskTemplate.Networks).toEqual([{ Target: idOf('back'), Aliases: ['store'] }]);

    await docker('service', 'rm', 'db');
    expect(await docker('network', 'rm', 'back')).toMatchObject({ code: 0 });
    expect(await docker(...create, 'back')).toMatchObject({ code: 0 });
  });

  it('are added to services and taken away by an update', async () => {
    await docker(...create, 'back');
    await docker(...create, 'front');
    await docker(...service, 'api', '--network', 'back', 'api:1');

    const update = ['service', 'update', '--detach', '--no-resolve-image'];
    const changed = await docker(...update, '--network-add', 'front', '--network-rm', 'back', 'api');
    expect(changed).toMatchObject({ code: 0 });

    expect(cluster.service('api').spec.TaskTemplate.Networks).toEqual([{ Target: idOf('front') }]);
    expect(cluster.service('api').revision).toBe(2);
  });

  it('may be encrypted once a node has WireGuard, and inspect shows it as Docker does', async () => {
    await cluster.addNode('h2', { wireguardKey: 'a key' });
    expect(await docker(...create, '--opt', 'encrypted', 'vault')).toMatchObject({ code: 0 });
    const { stdout } = await docker('network', 'inspect', '--format', '{{json .Options}}', 'vault');
    expect(JSON.parse(stdout)).toEqual({ encrypted: '' });
  });

  it('prune removes those no service uses', async () => {
    await docker(...create, 'unused');
    await docker(...create, '--label', 'keep', 'kept');
    const { stdout } = await docker('network', 'prune', '--force', '--filter', 'label!=keep');
    expect(stdout).toContain('unused');
    expect([...cluster.snapshot().networks.values()].map(({ value }) => value.name)).toEqual(['kept']);
  });

  it.each([
    [['--opt', 'encrypted'], 'none of 1 node has WireGuard'],
    [['--opt', 'encrypted=maybe'], 'Options.encrypted: "maybe" is neither'],
    [['--opt', 'com.docker.network.driver.mtu=12'], 'com.docker.network.driver.mtu'],
    [['--opt', 'vlan=3'], 'Options.vlan'],
    [['--ipv6'], 'EnableIPv6'],
    [['--ingress'], 'Ingress'],
    [['--subnet', '10.50.0.1/24'], 'should be 10.50.0.0/24'],
    [['--subnet', '10.200.64.0/24'], 'overlaps with 10.200.0.0/13'],
    [['--subnet', '10.99.0.0/16'], 'the address 10.99.0.1 of node h1'],
    [['--subnet', '10.50.0.0/16', '--gateway', '10.50.0.1'], 'IPAM.Config.Gateway'],
    [['--subnet', '10.50.0.0/16', '--ip-range', '10.50.1.0/24'], 'IPAM.Config.IPRange'],
  ])('%j is refused by name', async (options, sentence) => {
    const { code, stderr } = await docker(...create, ...options, 'n');
    expect(code).not.toBe(0);
    expect(stderr).toContain(sentence);
    expect(cluster.snapshot().networks.size).toBe(0);
  });

  it('refuses a name that is taken or reserved, and a range another network has', async () => {
    await docker(...create, '--subnet', '10.50.0.0/16', 'n');
    expect((await docker(...create, 'n')).stderr).toContain('network with name n already exists');
    expect((await docker(...create, 'host')).stderr).toContain('predefined host network');
    expect((await docker(...create, '--subnet', '10.50.3.0/24', 'm')).stderr).toContain('10.50.0.0/16 of network n');
  });
});
