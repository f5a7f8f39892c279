/** `/networks`: the cluster's own, and those every engine has. */
import { Router } from 'express';
import { z } from 'zod';
import { usedNetworks } from '../../store/network-users.ts';
import { unsupported } from '../../wishes/errors.ts';
import type { NetworkWish } from '../../wishes/network-rules.ts';
import type { DockerApiParts } from './api-parts.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { type NetworkView, networkView, networkViews, predefinedView } from './network-view.ts';
import { isPrunable, pruneFilterKeys } from './prune-filters.ts';
import { pathPart, queryFlag, queryText } from './query.ts';
import { networkByReference } from './references.ts';
import { readJson } from './request-body.ts';
import { ApiError, sendEmpty, sendJson } from './responses.ts';

const filterKeys = ['name', 'id', 'driver', 'scope', 'type', 'label', 'dangling'];
const Words = z.record(z.string(), z.string());

/** The body of `docker network create`; python's and old clients repeat fields that mean nothing here. */
const NewNetwork = z.strictObject({
  Name: z.string(),
  CheckDuplicate: z.boolean().optional(),
  Driver: z.string().default('bridge'),
  Scope: z.string().optional(),
  EnableIPv4: z.boolean().optional(),
  EnableIPv6: z.boolean().optional(),
  IPAM: z
    .strictObject({
      Driver: z.string().optional(),
      Options: Words.optional(),
      Config: z
        .array(
          z.strictObject({
            Subnet: z.string().optional(),
            IPRange: z.string().optional(),
            Gateway: z.string().optional(),
            AuxiliaryAddresses: Words.optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  Internal: z.boolean().default(false),
  Attachable: z.boolean().optional(),
  Ingress: z.boolean().optional(),
  ConfigOnly: z.boolean().optional(),
  ConfigFrom: z.strictObject({ Network: z.string() }).optional(),
  Options: Words.default({}),
  Labels: Words.default({}),
});
type NewNetwork = z.infer<typeof NewNetwork>;

export function networkRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/networks', (req, res) => {
    const filters = parseFilters(queryText(req, 'filters'), filterKeys);
    const snapshot = parts.snapshot();
    const used = usedNetworks(snapshot);
    const found = networkViews(snapshot).filter((network) => isWanted(network, used.has(network.Id), filters));
    sendJson(res, 200, found);
  });
  router.get('/networks/:network', (req, res) => {
    const name = pathPart(req, 'network');
    const own = predefinedView(name, queryText(req, 'scope'));
    const options = { verbose: queryFlag(req, 'verbose') };
    const snapshot = parts.snapshot();
    sendJson(res, 200, own ?? networkView(snapshot, networkByReference(snapshot, name).value, options));
  });
  networkWrites(router, parts);
  return router;
}

function networkWrites(router: Router, parts: DockerApiParts): void {
  const { networks } = parts.wishes;
  router.post('/networks/create', async (req, res) => {
    const { id } = await networks.create(wishOf(await readJson(req, NewNetwork)));
    sendJson(res, 201, { Id: id, Warning: '' });
  });
  router.post('/networks/prune', async (req, res) => {
    const filters = parseFilters(queryText(req, 'filters'), pruneFilterKeys);
    const nowMs = parts.clock.wallMs();
    const snapshot = parts.snapshot();
    const used = usedNetworks(snapshot);
    const unused = networkViews(snapshot).filter(
      (network) => network.Scope === 'swarm' && !used.has(network.Id) && isPrunable(network, filters, nowMs),
    );
    for (const { Id } of unused) await networks.remove(Id);
    sendJson(res, 200, { NetworksDeleted: unused.length > 0 ? unused.map(({ Name }) => Name) : null });
  });
  router.delete('/networks/:network', async (req, res) => {
    const name = pathPart(req, 'network');
    if (predefinedView(name, undefined)) {
      throw new ApiError(403, `${name} is a pre-defined network and cannot be removed`);
    }
    await networks.remove(networkByReference(parts.snapshot(), name).value.id);
    sendEmpty(res, 204);
  });
}

/** Throws `unsupported`, naming the field, for what a network of the cluster cannot be. */
function wishOf(body: NewNetwork): NetworkWish {
  const refusals: readonly (readonly [boolean | undefined, string, string])[] = [
    [body.Driver !== 'overlay', `networks of driver ${body.Driver}: the cluster's are overlays`, 'Driver'],
    [body.Scope !== undefined && body.Scope !== '' && body.Scope !== 'swarm', `scope ${body.Scope}`, 'Scope'],
    [body.EnableIPv4 === false, 'networks without IPv4', 'EnableIPv4'],
    [body.EnableIPv6, 'IPv6 on networks', 'EnableIPv6'],
    [body.Ingress, 'an ingress network of one’s own', 'Ingress'],
    [body.ConfigOnly, 'configuration-only networks', 'ConfigOnly'],
    [!!body.ConfigFrom?.Network, 'networks from a configuration', 'ConfigFrom'],
  ];
  for (const [isAsked, what, field] of refusals) if (isAsked) throw unsupported(what, field);
  const { Name: name, Labels: labels, Options: options, Internal: internal, Attachable: attachable = false } = body;
  return { name, labels, options, internal, attachable, subnet: subnetOf(body.IPAM) };
}

function subnetOf(ipam: NewNetwork['IPAM']): string | undefined {
  const { Driver = 'default', Options = {}, Config = [] } = ipam ?? {};
  if (Driver !== '' && Driver !== 'default') throw unsupported(`address management by ${Driver}`, 'IPAM.Driver');
  if (Object.keys(Options).length > 0) throw unsupported('options of the address management', 'IPAM.Options');
  const [first, ...others] = Config.filter((config) => Object.values(config).some((value) => value !== ''));
  if (others.length > 0) throw unsupported('more than one subnet of a network', 'IPAM.Config');
  if (first?.IPRange) throw unsupported('an address range within the subnet', 'IPAM.Config.IPRange');
  if (first?.Gateway) {
    throw unsupported('a gateway of one’s own: every node has one in its part of the subnet', 'IPAM.Config.Gateway');
  }
  if (Object.keys(first?.AuxiliaryAddresses ?? {}).length > 0) {
    throw unsupported('reserved addresses', 'IPAM.Config.AuxiliaryAddresses');
  }
  return first?.Subnet || undefined;
}

/** As the engine does: names of the cluster's networks whole, of an engine's own in part. */
function isWanted(network: NetworkView, inUse: boolean, filters: Filters): boolean {
  const isOurs = network.Scope === 'swarm';
  return (
    passes(filters, 'name', (name) => (isOurs ? network.Name === name : network.Name.includes(name))) &&
    passes(filters, 'id', (prefix) => network.Id.startsWith(prefix)) &&
    passes(filters, 'driver', (driver) => network.Driver === driver) &&
    passes(filters, 'scope', (scope) => network.Scope === scope) &&
    passes(filters, 'type', (type) => type === (isOurs ? 'custom' : 'builtin')) &&
    passes(filters, 'dangling', (value) => ['true', '1'].includes(value) === (isOurs && !inUse)) &&
    passesLabels(filters, 'label', network.Labels)
  );
}
