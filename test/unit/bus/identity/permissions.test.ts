import { describe, expect, test } from 'vitest';
import { nodePermissions } from '../../../../bus/identity/permissions.ts';
import { matchesPattern } from '../../../../bus/raw-bucket.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';

describe('nodePermissions()', () => {
  const own = derivedId('own');
  const { publish, subscribe } = nodePermissions(own);
  const mayPublish = (subject: string) => publish.some((pattern) => matchesPattern(pattern, subject));

  test('never reaches what coordinators write', () => {
    const written = ['spec', 'name', 'slot', 'task', 'net', 'scale', 'rollout', 'lease'];

    for (const bucket of written) expect(mayPublish(`$KV.plim_${bucket}.${own}.x`)).toBe(false);
    expect(mayPublish('plim.write.x.plim_task.y')).toBe(false);
  });

  test('lets the server send a node’s own text nowhere: what it writes it may not read by request', () => {
    for (const bucket of ['node', 'status', 'endpoint', 'mesh']) {
      expect(mayPublish(`$JS.API.DIRECT.GET.KV_plim_${bucket}.$KV.plim_${bucket}.${own}.x`)).toBe(false);
    }
  });

  test('names the node in everything it may hear', () => {
    for (const pattern of subscribe) expect(pattern.split('.')).toContain(own);
  });
});
