import { describe, expect, it } from 'vitest';
import { HostContainers } from '../../../../agent/metrics/host-containers.ts';

/** An engine with one foreign container that counts what it is asked. */
function fakeEngine() {
  const state = { pid: 100, inspections: 0 };
  const engine = {
    listRaw: async () => [
      { Id: 'x1', Names: ['/db'], Image: 'postgres', Labels: null },
      { Id: 'own', Image: 'web' },
    ],
    inspectRaw: async () => {
      state.inspections += 1;
      return { State: { Pid: state.pid, StartedAt: '2026-01-01T00:00:00Z' } };
    },
  };
  return { state, engine };
}

describe('HostContainers', () => {
  it('tells the running containers that are not ours', async () => {
    const { engine } = fakeEngine();

    const others = await new HostContainers(engine, () => true).othersThan(new Set(['own']));

    expect(others).toEqual([
      { id: 'x1', name: 'db', image: 'postgres', labels: {}, pid: 100, startedAtMs: Date.UTC(2026, 0, 1) },
    ]);
  });

  it('inspects a container once, and again after it was restarted', async () => {
    const { engine, state } = fakeEngine();
    const containers = new HostContainers(engine, (pid) => pid === state.pid);
    await containers.othersThan(new Set(['own']));
    await containers.othersThan(new Set(['own']));
    expect(state.inspections).toBe(1);

    state.pid = 200;
    const [restarted] = await containers.othersThan(new Set(['own']));

    expect(state.inspections).toBe(2);
    expect(restarted?.pid).toBe(200);
  });
});
