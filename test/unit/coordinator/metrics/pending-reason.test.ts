import { describe, expect, it } from 'vitest';
import { pendingReason } from '../../../../coordinator/metrics/pending-reason.ts';

describe('pendingReason()', () => {
  it.each([
    ['no suitable node (insufficient resources on 3 nodes; wants 2 GiB of memory)', 'resources'],
    ['no suitable node (scheduling constraints not satisfied on 1 node; wants node.role==manager)', 'constraints'],
    ['no suitable node (host-mode port already in use on 2 nodes; insufficient resources on 1 node)', 'port'],
    ['no suitable node (the cluster has no nodes)', 'no-nodes'],
    ['the moon is full', 'other'],
  ])('takes %j for %s', (sentence, reason) => {
    expect(pendingReason(sentence)).toBe(reason);
  });
});
