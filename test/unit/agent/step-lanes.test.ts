import { describe, expect, it } from 'vitest';
import { StepLanes } from '../../../agent/step-lanes.ts';

describe('StepLanes', () => {
  it('creates and starts so many at once together; stops wait for none of them', async () => {
    const lanes = new StepLanes(1);
    const said: string[] = [];
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });

    lanes.queue('create', () => opened);
    lanes.queue('start', async () => void said.push('start'));
    lanes.queue('stop', async () => void said.push('stop'));
    expect(said).toEqual(['stop']);

    open();
    await lanes.idle();
    expect(said).toEqual(['stop', 'start']);
  });
});
