/** `/_ping`, `/version`, `/info`: how clients find out whom they talk to. */
import { Router } from 'express';
import type { DockerApiParts } from './api-parts.ts';
import { API_VERSION, MIN_API_VERSION } from './api-version.ts';
import { goArchitecture } from './architecture.ts';
import { infoView } from './info-view.ts';
import { sendJson } from './responses.ts';

export function systemRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/_ping', (req, res) => {
    res.setHeader('Swarm', 'active/manager');
    res.setHeader('Builder-Version', '1');
    res.setHeader('Content-Type', 'text/plain; charset=utf-8');
    res.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
    res.end(req.method === 'HEAD' ? undefined : 'OK');
  });
  router.get('/version', (_req, res) => sendJson(res, 200, versionView(parts.version)));
  router.get('/info', (_req, res) => sendJson(res, 200, infoView(parts)));
  return router;
}

function versionView(version: string): object {
  const Details = { ApiVersion: API_VERSION, MinAPIVersion: MIN_API_VERSION, Os: 'linux', Arch: goArchitecture() };
  return {
    Platform: { Name: 'Plimsoll' },
    Components: [{ Name: 'Engine', Version: version, Details }],
    Version: version,
    ...Details,
  };
}
