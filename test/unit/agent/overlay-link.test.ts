import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import type { OtherNodes } from '../../../agent/network/overlay/overlay.ts';
import { linkOverlay } from '../../../agent/overlay-link.ts';
import type { EndpointRecord, SubnetRecord } from '../../../model/network-records.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';

const networkId = derivedId('network', 'back');
const node = { own: derivedId('node', 'own'), other: derivedId('node', 'other') } as const;

function range(nodeId: string): SubnetRecord {
  const network = { id: networkId, name: 'back', internal: false };
  return { v: 1, epoch: 1, kind: 'subnet', network, nodeId, nodeAddress: '192.0.2.1', subnets: ['10.200.0.0/26'] };
}
function announcement(...members: string[]): EndpointRecord {
  return { v: 1, networkId, nodeId: node.own, endpoints: [], members };
}

describe('what nodes tell each other of their tasks on a network', () => {
  let clock: FakeClock;
  let server: MemoryServer;
  let stop: AbortController;
  /** Lets the other node's kernel have what it heard. */
  let apply: () => void;

  beforeEach(async () => {
    clock = new FakeClock();
    server = new MemoryServer({ clock });
    stop = new AbortController();
    const { buckets } = server.connect();
    for (const id of [node.own, node.other]) await buckets.nets.put(`subnet.${networkId}.${id}`, range(id));
  });
  afterEach(async () => {
    stop.abort();
    await clock.advance(10);
  });

  /** A node that has a task on the network; `learn` is its kernel. */
  const linked = async (nodeId: string, learn: () => Promise<void>) => {
    const nobody: OtherNodes = { tell: async () => undefined, haveHeard: async () => undefined };
    const overlay = { needed: Promise.resolve(), learn, others: nobody };
    const { bus, buckets } = server.connect();
    const metrics = agentMetrics(createMetrics('agent', '0'));
    void linkOverlay(bus, buckets, { nodeId, overlay, clock, log: createLog('test', 'silent'), metrics }, stop.signal);
    await clock.advance(10);
    return { overlay, metrics };
  };
  const applying = () =>
    new Promise<void>((resolve) => {
      apply = resolve;
    });

  test('a node has heard once its kernel does as it was told', async () => {
    const { overlay } = await linked(node.own, async () => undefined);
    await linked(node.other, applying);
    apply();
    await overlay.others.tell([announcement('10.200.0.2')]);
    let hasHeard = false;
    const heard = overlay.others.haveHeard([networkId]).then(() => {
      hasHeard = true;
    });
    await clock.advance(100);
    expect(hasHeard).toBe(false);
    apply();
    await clock.advance(10);
    await heard;
    expect(hasHeard).toBe(true);
  });

  test('one that does not answer is waited for two seconds, once; it is counted', async () => {
    const { overlay, metrics } = await linked(node.own, async () => undefined);
    await linked(node.other, applying);
    await overlay.others.tell([announcement('10.200.0.2')]);

    const startedAtMs = clock.elapsedMs();
    const heard = overlay.others.haveHeard([networkId]);
    await clock.advance(2_000);
    await heard;
    expect(clock.elapsedMs() - startedAtMs).toBe(2_000);
    await overlay.others.haveHeard([networkId]);
    expect((await metrics.acknowledgementsMissing.get()).values[0]?.value).toBe(1);

    apply();
    await clock.advance(10);
    await overlay.others.tell([announcement('10.200.0.3')]);
    let isWaited = true;
    const again = overlay.others.haveHeard([networkId]).then(() => {
      isWaited = false;
    });
    await clock.advance(100);
    expect(isWaited).toBe(true);
    apply();
    await clock.advance(10);
    await again;
  });

  test('nobody is waited for on a network this node is alone on', async () => {
    const { buckets } = server.connect();
    await buckets.nets.delete(`subnet.${networkId}.${node.other}`);
    const { overlay } = await linked(node.own, async () => undefined);
    await overlay.others.tell([announcement('10.200.0.2')]);
    await expect(overlay.others.haveHeard([networkId])).resolves.toBeUndefined();
  });
});
