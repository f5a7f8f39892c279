import { beforeEach, expect, it } from 'vitest';
import { planStack, portsWishesOf } from '../../../../coordinator/what-if/stack-plan.ts';
import { noPortsHeld } from '../../../../coordinator/wishes/held-ports.ts';
import { withServerDefaults } from '../../../../coordinator/wishes/service-rules.ts';
import { accessLabel, type HostAccess } from '../../../../model/host-access.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import type { StackWish } from '../../../../model/stack-plan.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

let world: PlanWorld;
let web: string;
let before: string;

beforeEach(() => {
  world = new PlanWorld();
  world.addNode('h1');
  world.addNode('h2', { labels: { disk: 'ssd' } });
  web = world.addService('app_web', 4, withServerDefaults(spec('app_web', 'good', 4)));
  world.addService('app_old', 1);
  world.converge();
  before = JSON.stringify([...world.tables.services]);
});

const spec = (
  Name: string,
  image: string,
  replicas: number,
  more: Partial<ServiceSpec['TaskTemplate']> = {},
): ServiceSpec => ({
  Name,
  TaskTemplate: { ContainerSpec: { Image: image }, ...more },
  Mode: { Replicated: { Replicas: replicas } },
  UpdateConfig: { Parallelism: 2, Order: 'start-first' },
});

function planOf(wish: Partial<StackWish>) {
  const whole = { stack: 'app', networks: [], secrets: [], configs: [], services: [], removals: [], ...wish };
  const answer = planStack(world.snapshot(), whole, world.now);
  expect(JSON.stringify([...world.tables.services])).toBe(before);
  return answer;
}

it('a new service is placed by the planner itself, constraints included', () => {
  const placed = spec('app_db', 'good', 2, { Placement: { Constraints: ['node.labels.disk == ssd'] } });
  expect(planOf({ services: [{ spec: placed }] }).services).toMatchObject([
    { name: 'app_db', change: 'create', restarts: 0, placements: [{ node: 'h2', tasks: 2 }], problems: [] },
  ]);
});

it('a service with another image says which field differs, how many tasks restart and how', () => {
  const [service] = planOf({ services: [{ id: web, spec: spec('app_web', 'better', 4) }] }).services;
  expect(service).toMatchObject({ change: 'update', restarts: 4, order: '2 at a time, start-first' });
  expect(service?.differences).toContain('TaskTemplate.ContainerSpec.Image: good -> better');
  expect(service?.placements).toEqual([
    { node: 'h1', tasks: 2 },
    { node: 'h2', tasks: 2 },
  ]);
});

it('a scaled service restarts nothing and places what is more', () => {
  const [service] = planOf({ services: [{ id: web, spec: spec('app_web', 'good', 6) }] }).services;
  expect(service).toMatchObject({ change: 'update', restarts: 0 });
  expect(service?.placements.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(2);
  expect(service?.differences).toContain('Mode.Replicated.Replicas: 4 -> 6');
});

it('tasks without a place say why', () => {
  const placed = spec('app_db', 'good', 3, { Placement: { Constraints: ['node.labels.disk == tape'] } });
  const [service] = planOf({ services: [{ spec: placed }] }).services;
  expect(service?.problems).toMatchObject([expect.stringMatching(/^3 tasks would find no place: .*constraint/)]);
});

it('what the cluster would refuse is said in its own words', () => {
  const services = [
    { spec: spec('-', 'good', 1) },
    { spec: spec('app_a', 'good', 1, { Networks: [{ Target: 'nowhere' }] }) },
    { spec: { Name: 'app_b', Bogus: 1 } },
  ];
  expect(planOf({ services }).services.map(({ problems }) => problems.join())).toEqual([
    'name must be valid as a DNS name component',
    'network nowhere not found',
    expect.stringMatching(/Bogus/),
  ]);
});

it('services may use what the stack brings along', () => {
  const [network, secret] = [randomId(), randomId()];
  const File = { Name: 'pw', UID: '0', GID: '0', Mode: 0o444 };
  const db = spec('app_db', 'good', 1, { Networks: [{ Target: 'app_back' }] });
  const Secrets = [{ SecretID: secret, SecretName: 'app_pw', File }];
  const using = { ...db, TaskTemplate: { ...db.TaskTemplate, ContainerSpec: { Image: 'good', Secrets } } };
  const wish = { networks: [{ id: network, name: 'app_back' }], secrets: [{ id: secret, name: 'app_pw' }] };
  expect(planOf({ ...wish, services: [{ spec: using }] })).toMatchObject({
    networks: ['app_back'],
    secrets: ['app_pw'],
    services: [{ name: 'app_db', change: 'create', problems: [] }],
  });
});

it('services that would go say what ends with them', () => {
  const old = [...world.tables.services.values()].find(({ value }) => value.spec.Name === 'app_old')?.value.id ?? '';
  expect(planOf({ removals: [old] }).services).toMatchObject([{ name: 'app_old', change: 'remove', restarts: 1 }]);
});

it('access to hosts that the operator does not allow is a problem here as it is on deployment', () => {
  const asked = { ...spec('app_db', 'good', 1), Labels: { [accessLabel('privileged')]: 'true' } };
  const problemsWith = (...allowed: HostAccess[]) => {
    const wish = { stack: 'app', networks: [], secrets: [], configs: [], services: [{ spec: asked }], removals: [] };
    return planStack(world.snapshot(), wish, world.now, { allowed: new Set(allowed), held: noPortsHeld }).services[0]
      ?.problems;
  };

  expect(problemsWith()).toEqual([expect.stringContaining(accessLabel('privileged'))]);
  expect(problemsWith('privileged')).toEqual([]);
});

it('ports that programs of the nodes hold are a problem here as they are on deployment, dynamic ones are not given out', () => {
  const publishing = (name: string, PublishedPort?: number): ServiceSpec => ({
    ...spec(name, 'good', 1),
    EndpointSpec: {
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress', ...(PublishedPort && { PublishedPort }) }],
    },
  });
  const services = [
    { spec: publishing('app_a', 80) },
    { spec: publishing('app_b', 81) },
    { spec: publishing('app_c') },
  ];
  const wish = { stack: 'app', networks: [], secrets: [], configs: [], services, removals: [] };
  const [h1 = ''] = world.snapshot().nodes.keys();
  const held = { holders: new Map([['tcp/80', [h1]]]), nodeIds: [h1] };

  const answer = planStack(world.snapshot(), wish, world.now, { allowed: new Set(), held });

  expect(answer.services.map(({ name, problems }) => [name, problems])).toEqual([
    ['app_a', [expect.stringContaining("port '80/tcp' is already in use by another program on node h1")]],
    ['app_b', []],
    ['app_c', []],
  ]);
  expect(portsWishesOf(world.snapshot(), wish).map(({ wanted }) => wanted)).toHaveLength(3);
});

it('what a service has is no other’s number of the same stack', () => {
  const ports = [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' }] as const;
  const had = [{ ...ports[0], PublishedPort: 30_000 }];
  const record = world.tables.services.get(web)?.value;
  if (record) world.restoreService({ ...record, ports: had });
  const publishing = (name: string) => ({ ...spec(name, 'good', 4), EndpointSpec: { Ports: [...ports] } });
  const services = [{ id: web, spec: publishing('app_web') }, { spec: publishing('app_new') }];

  const wishes = portsWishesOf(world.snapshot(), {
    stack: 'app',
    networks: [],
    secrets: [],
    configs: [],
    services,
    removals: [],
  });

  expect(wishes).toMatchObject([
    { before: had, taken: new Set() },
    { before: [], taken: new Set(['tcp/30000']) },
  ]);
});
