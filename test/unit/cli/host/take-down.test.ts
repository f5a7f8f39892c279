import { expect, test } from 'vitest';
import { mountsBelow, stopUnits } from '../../../../cli/host/take-down.ts';
import { unitName } from '../../../../cli/monitoring/native-monitoring.ts';
import { monitoringPrograms } from '../../../../cli/monitoring/native-programs.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

test('mountsBelow() finds mounts at and below a directory, the later ones first, and no others', () => {
  const line = (id: number, point: string) => `${id} 1 0:1 / ${point} rw,relatime - ext4 /dev/vda rw`;
  const mountinfo = [
    line(20, '/'),
    line(21, '/var/lib/plimsoll/engine/docker'),
    line(22, '/var/lib/plimsoll/engine/docker/overlay2/a/merged'),
    line(23, '/var/lib/plimsoll-lab/h1'),
    '',
  ].join('\n');

  expect(mountsBelow(mountinfo, '/var/lib/plimsoll')).toEqual([
    '/var/lib/plimsoll/engine/docker/overlay2/a/merged',
    '/var/lib/plimsoll/engine/docker',
  ]);
});

test('stopUnits() stops each program of monitoring before the coordinator it asks, and leaves what is not named', async () => {
  const monitoring = monitoringPrograms.map(unitName);
  const present = ['nats', 'coordinator', ...monitoring];
  const stopped: string[] = [];
  const units = {
    kind: 'fake',
    apply: async () => 'unchanged' as const,
    remove: async (name: string) => void stopped.push(name),
    processId: async () => undefined,
    names: async () => present,
    logHint: (name: string) => name,
    close: async () => undefined,
  };

  await stopUnits([...monitoring, 'coordinator', 'agent'], { units, clock: new FakeClock(), note: () => undefined });

  expect(stopped.slice(0, -1).toSorted()).toEqual(monitoring.toSorted());
  expect(stopped.at(-1)).toBe('coordinator');
});
