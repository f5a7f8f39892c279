import { createColors } from 'picocolors';
import { expect, it } from 'vitest';
import { formatStatus } from '../../../../cli/commands/status.ts';
import { ClusterStatus } from '../../../../model/native-api.ts';
import { WARNING_CHARACTERS_AT_MOST } from '../../../../model/network-warning.ts';

const plain = createColors(false);

const healthy = ClusterStatus.parse({
  clusterId: 'c1',
  version: '1',
  busConnected: true,
  stateCurrent: true,
  nodes: [],
  services: [],
});

it('names damaged records, why they are, and what to do; says nothing of them while there are none', () => {
  const damagedRecords = [
    { bucket: 'plim_spec', key: 'service.abc', problem: 'v: Invalid input: expected 1', advice: 'restore the bucket' },
  ];

  const text = formatStatus({ ...healthy, damagedRecords }, plain);

  expect(text).toMatch(/plim_spec service\.abc +v: Invalid input: expected 1 +restore the bucket/);
  expect(formatStatus(healthy, plain)).not.toContain('DAMAGED');
});

it('warns of what is wrong with networks, where, and what to do; says nothing of them while all is well', () => {
  const networkWarnings = [
    { node: 'h1', kind: 'blocked', says: 'h2: nothing comes through', advice: 'let UDP 4789 pass' },
  ];

  expect(formatStatus({ ...healthy, networkWarnings }, plain)).toMatch(
    /h1 +h2: nothing comes through +let UDP 4789 pass/,
  );
  expect(formatStatus(healthy, plain)).not.toContain('NETWORKS ON');
});

it('shows a warning of a kind only a newer coordinator knows, however long', () => {
  const says = `h2: ${'x'.repeat(WARNING_CHARACTERS_AT_MOST)}`;
  const sent = { ...healthy, networkWarnings: [{ node: 'h1', kind: 'new', says, advice: 'upgrade', more: 1 }] };

  expect(formatStatus(ClusterStatus.parse(sent), plain)).toContain(says);
});

it('shows what a drain waits for, and who has no other place; of many tasks the first ten', () => {
  const left = Array.from({ length: 12 }, (_, index) => ({ task: `web.${index + 1}`, waitsFor: 'its turn' }));
  const drain = { id: 'a'.repeat(25), node: 'h1', draining: true, left, homeless: [] };
  const homeless = [{ task: 'db.1', reason: 'no suitable node' }];

  const text = formatStatus({ ...healthy, drains: [drain] }, plain);

  expect(text).toMatch(/h1 +web\.10 +waits for its turn/);
  expect(text).not.toContain('web.11');
  expect(text).toMatch(/h1 +and 2 more +plim why h1/);
  expect(formatStatus({ ...healthy, drains: [{ ...drain, left: [], homeless }] }, plain)).toMatch(
    /h1 +db\.1 +runs nowhere: no suitable node/,
  );
  expect(formatStatus(healthy, plain)).not.toContain('DRAINED');
});
