import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerApiServer } from '../../support/docker-api-server.ts';

describe('Docker SDKs against the Engine API', () => {
  let cluster: DockerApiServer;

  beforeEach(async () => {
    cluster = await DockerApiServer.start();
    await cluster.addNode('h1');
  });

  afterEach(() => cluster.stop());

  it('dockerode creates, updates and removes a service', async () => {
    const docker = new Docker({ socketPath: cluster.socketPath });
    const spec = {
      Name: 'web',
      TaskTemplate: { ContainerSpec: { Image: 'a:1' } },
      Mode: { Replicated: { Replicas: 2 } },
    };
    const { id } = await docker.createService(spec);
    const service = docker.getService(id);
    const seen = await service.inspect();
    await service.update({ ...seen.Spec, version: seen.Version.Index, Mode: { Replicated: { Replicas: 3 } } });
    expect(cluster.service('web').spec.Mode?.Replicated?.Replicas).toBe(3);
    await cluster.runTasks('web');
    expect(await docker.listTasks({ filters: { service: ['web'] } })).toHaveLength(3);
    expect(await docker.listNodes()).toHaveLength(1);
    await service.remove();
    await expect(service.inspect()).rejects.toMatchObject({
      statusCode: 404,
      json: { message: `service ${id} not found` },
    });
  });

  it('python3-docker does the same', async () => {
    const program = `
import docker
client = docker.DockerClient(base_url='unix://${cluster.socketPath}')
service = client.services.create('a:1', ['sleep', '9'], name='web', mode=docker.types.ServiceMode('replicated', 2),
                                 endpoint_spec=docker.types.EndpointSpec(ports={8080: 80}), env=['A=b'])
service.scale(3)
service.reload()
assert service.attrs['Spec']['Mode']['Replicated']['Replicas'] == 3, service.attrs
service.update(image='a:2')
print(client.version()['ApiVersion'], client.info()['Swarm']['Nodes'], [node.attrs['Description']['Hostname'] for node in client.nodes.list()])
try:
    client.services.create('a:1', name='web')
except docker.errors.APIError as error:
    print(error.status_code, error.explanation)
service.remove()
print(client.services.list())
`;
    const { stdout } = await promisify(execFile)('python3', ['-c', program]);
    expect(stdout.split('\n')).toEqual([
      "1.51 1 ['h1']",
      '409 rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists',
      '[]',
      '',
    ]);
  });
});
