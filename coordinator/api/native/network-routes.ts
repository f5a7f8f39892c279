/** `/v1/network/check`: where the way from one task to a name and port breaks; without them, how every host is. */
import type { Express } from 'express';
import { PlimsollError } from '../../../runtime/errors.ts';
import { checkHosts, checkWay, type NetworkCheckParts } from '../../network-check.ts';
import { nodeName } from '../../store/node-names.ts';

export type NetworkRouteParts = Pick<NetworkCheckParts, 'snapshot' | 'bus'>;

/** `requireReady` throws while this coordinator does not know the cluster's state. */
export function addNetworkRoutes(app: Express, parts: NetworkRouteParts, requireReady: () => void): void {
  app.get('/v1/network/check', async (request, response) => {
    requireReady();
    const { from, to } = request.query;
    const asking = { ...parts, nameOf: (nodeId: string) => nodeName(parts.snapshot(), nodeId) };
    if (from === undefined && to === undefined) response.json(await checkHosts(asking));
    else response.json(await checkWay(asking, word('from', from), word('to', to)));
  });
}

function word(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new PlimsollError('invalid', `${name}: must be given, once, where the other is`);
}
