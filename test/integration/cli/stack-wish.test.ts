/** `plim plan` lets the docker CLI deploy to an engine that changes nothing: what it hears is what a deployment would be. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stackWish } from '../../../cli/dry-run/stack-wish.ts';
import { packageRoot } from '../../../runtime/version.ts';
import { DockerApiServer } from '../../support/docker-api-server.ts';

const shop = join(packageRoot(), 'test', 'fixtures', 'stacks', 'shop.yml');

let cluster: DockerApiServer;
beforeEach(async () => {
  cluster = await DockerApiServer.start();
  await cluster.addNode('h1');
});
afterEach(() => cluster.stop());

const wishOf = (files: readonly string[], prune = false) =>
  stackWish({ stack: 'shop', files, prune }, cluster.socketPath, () => undefined);
const names = (objects: readonly { name: string }[]) => objects.map(({ name }) => name).sort();

it('a stack that is not there is all new, and stays so', async () => {
  await cluster.docker(['secret', 'create', 'db_password', '/etc/hostname']);
  const { networks, configs, secrets, services, removals } = await wishOf([shop]);

  expect(names(networks)).toEqual(['shop_backend', 'shop_frontend']);
  expect(names(configs)).toEqual(['shop_api_settings']);
  expect(names(secrets)).toEqual([]);
  expect(services).toHaveLength(3);
  expect(services.every(({ id }) => id === undefined)).toBe(true);
  expect(removals).toEqual([]);
  const { services: stored, networks: made, configs: written } = cluster.snapshot();
  expect([stored.size, made.size, written.size]).toEqual([0, 0, 0]);
});

it('a deployed stack is updated under its ids; with --prune, what the file has no more goes', async () => {
  await cluster.docker(['secret', 'create', 'db_password', '/etc/hostname']);
  await cluster.docker(['stack', 'deploy', '--resolve-image', 'never', '-c', shop, 'shop']);
  const label = 'com.docker.stack.namespace=shop';
  await cluster.docker(['service', 'create', '--detach', '--name', 'shop_old', '--label', label, 'plimsoll/sleep:1']);
  const before = JSON.stringify([...cluster.snapshot().services.values()]);
  const { networks, configs, services, removals } = await wishOf([shop], true);

  expect([networks, configs]).toEqual([[], []]);
  const ids = services.map(({ id }) => id);
  expect(ids.sort()).toEqual(['web', 'api', 'db'].map((name) => cluster.service(`shop_${name}`).id).sort());
  expect(removals).toEqual([cluster.service('shop_old').id]);
  expect(JSON.stringify([...cluster.snapshot().services.values()])).toBe(before);
});

it("a file the CLI refuses is refused in the CLI's words", async () => {
  await expect(wishOf(['/nonexistent.yml'])).rejects.toMatchObject({ code: 'invalid', message: /nonexistent/ });
  await expect(wishOf([shop])).rejects.toMatchObject({ code: 'invalid', message: /secret not found: db_password/ });
});
