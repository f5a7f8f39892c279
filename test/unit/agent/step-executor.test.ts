import { beforeEach, describe, expect, it } from 'vitest';
import type { Attachment } from '../../../agent/network/overlay/overlay.ts';
import { type ExecutorParts, executeStep } from '../../../agent/step-executor.ts';
import { networkLabels } from '../../../model/network-labels.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { loneExecutor } from '../../support/lone-host.ts';
import { aTask } from '../../support/tasks.ts';

const { signal } = new AbortController();
const back = derivedId('network', 'back');
const front = derivedId('network', 'front');
const task = aTask({ template: { Networks: [{ Target: back }, { Target: front }] } });

function place(networkId: string, address: string): Attachment {
  return { networkId, address, engineNetwork: `on-${networkId}`, mac: '02:42:00:00:00:00', gateway: '10.200.0.1' };
}

describe('a container on two networks', () => {
  let engine: FakeEngine;
  let parts: ExecutorParts;
  let connects: string[];
  let refusals: PlimsollError[];

  beforeEach(() => {
    engine = new FakeEngine();
    connects = [];
    refusals = [];
    let attached = 0;
    parts = {
      engine,
      ...loneExecutor(engine, new FakeClock()),
      overlay: {
        attach: async () => {
          attached += 1;
          return [place(back, `10.200.0.${attached}`), place(front, `10.200.1.${attached}`)];
        },
        placesOf: (labels) =>
          (labels[networkLabels.addresses] ?? '').split(',').map((text) => {
            const [networkId = '', address = ''] = text.split('=');
            return place(networkId, address);
          }),
        withdraw: async () => undefined,
      },
      networks: {
        connect: async (_containerId, { engineNetwork, address }) => {
          const refusal = refusals.shift();
          if (refusal) throw refusal;
          connects.push(`${engineNetwork} ${address}`);
        },
      },
      onCreated: () => undefined,
    };
  });

  const create = () => executeStep(parts, task, { kind: 'create', attempt: 1, reason: '' }, true, signal);

  it('is put on the second before it starts', async () => {
    await create();

    expect(connects).toEqual([`on-${front} 10.200.1.1`]);
    expect(engine.calls.filter((call) => call.startsWith('start '))).toHaveLength(1);
  });

  it('gets the addresses it was made with when its making is tried again', async () => {
    refusals.push(new PlimsollError('unavailable', 'the engine was away'));
    await expect(create()).rejects.toThrow('the engine was away');

    await create();

    expect(connects).toEqual([`on-${front} 10.200.1.1`]);
  });

  it('is put on the second by who starts what another made', async () => {
    refusals.push(new PlimsollError('unavailable', 'the agent ended here'));
    await create().catch(() => undefined);
    const [made] = await engine.listRaw(true);

    const start = { kind: 'start', containerId: String(made?.Id), attempt: 1, reason: '' } as const;
    await executeStep(parts, task, start, true, signal);

    expect(connects).toEqual([`on-${front} 10.200.1.1`]);
    expect(engine.calls.filter((call) => call.startsWith('start '))).toHaveLength(1);
  });
});
