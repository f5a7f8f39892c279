/** `/swarm`: the cluster exists already; what can be changed of it, and what is `plim`'s business. */
import { Router } from 'express';
import { z } from 'zod';
import type { DockerApiParts } from './api-parts.ts';
import { queryFlag, queryVersion } from './query.ts';
import { readJson } from './request-body.ts';
import { ApiError, sendEmpty, sendJson } from './responses.ts';
import { clusterView, fixedSettings } from './swarm-view.ts';

const Section = z.record(z.string(), z.unknown()).optional();

/** Clients send back what they read, with their change in it. */
const ClusterSpec = z.strictObject({
  Name: z.string().optional(),
  Labels: z.record(z.string(), z.string()).default({}),
  Orchestration: z.strictObject({ TaskHistoryRetentionLimit: z.int().min(0).max(1_000).optional() }).default({}),
  Raft: Section,
  Dispatcher: Section,
  CAConfig: Section,
  TaskDefaults: Section,
  EncryptionConfig: Section,
});

/** There is no token for managers; what is shown in its place says so. */
const NO_MANAGER_TOKEN = 'none:start-another-coordinator-with-plim';

export function swarmRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/swarm', async (_req, res) => {
    const JoinTokens = { Worker: await parts.joinToken(), Manager: NO_MANAGER_TOKEN };
    sendJson(res, 200, { ...clusterView(parts.snapshot(), parts), JoinTokens });
  });
  router.post('/swarm/update', async (req, res) => {
    for (const flag of ['rotateWorkerToken', 'rotateManagerToken', 'rotateManagerUnlockKey']) {
      if (queryFlag(req, flag))
        throw refused(`rotating tokens or keys through the Docker API (${flag})`, 'use `plim token`');
    }
    const version = queryVersion(req, 'swarm');
    const spec = await readJson(req, ClusterSpec);
    refuseFixedSettings(spec);
    const current = parts.snapshot().cluster?.value.taskHistoryLimit ?? 5;
    const taskHistoryLimit = spec.Orchestration.TaskHistoryRetentionLimit ?? current;
    await parts.wishes.cluster.update({ taskHistoryLimit, labels: spec.Labels }, version);
    sendEmpty(res, 200);
  });
  router.get('/swarm/unlockkey', (_req, res) => sendJson(res, 200, { UnlockKey: '' }));
  refusals(router);
  return router;
}

function refusals(router: Router): void {
  router.post('/swarm/init', () => {
    throw new ApiError(
      503,
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    );
  });
  router.post('/swarm/join', () => {
    throw refused(
      'joining through the Docker API',
      'run `plim join TOKEN ADDRESS` on the host that shall become a node',
    );
  });
  router.post('/swarm/leave', () => {
    throw refused('leaving through the Docker API', 'run `plim leave` on the node that shall go');
  });
  router.post('/swarm/unlock', () => {
    throw new ApiError(409, 'swarm is not locked');
  });
}

/** Throws when a setting would change that has no counterpart here; unset and zero values change nothing. */
function refuseFixedSettings(spec: z.infer<typeof ClusterSpec>): void {
  for (const section of sectionsOf(fixedSettings)) {
    const fixed: Readonly<Record<string, unknown>> = fixedSettings[section];
    for (const [field, value] of Object.entries(spec[section] ?? {})) {
      const isChange = value !== fixed[field] && !(isUnset(value) && isUnset(fixed[field]));
      if (isChange) throw refused(`changing this setting of a swarm (${section}.${field})`);
    }
  }
}

const sectionsOf = <T extends object>(settings: T): (keyof T)[] => Object.keys(settings) as (keyof T)[];

function isUnset(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}

function refused(what: string, instead?: string): ApiError {
  return new ApiError(501, `Plimsoll does not support ${what}${instead === undefined ? '' : `: ${instead}`}`);
}
