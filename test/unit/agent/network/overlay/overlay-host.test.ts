import { expect, test } from 'vitest';
import { OverlayHost } from '../../../../../agent/network/overlay/overlay-host.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { createMetrics } from '../../../../../runtime/metrics.ts';

test('what cannot be removed keeps nothing else of the overlay on the host', async () => {
  const commands: string[] = [];
  const removed: string[] = [];
  const host = new OverlayHost({
    clusterId: 'c',
    run: async (program, args) => {
      commands.push([program, ...args].join(' '));
      return { exitCode: program === 'nft' && args[0] === '-f' ? 1 : 0, stdout: '', stderr: 'Device or resource busy' };
    },
    files: { read: async () => '', write: async () => undefined },
    networks: {
      listOwn: async () => ['plimsoll-10-200-0-0-26'],
      create: async () => undefined,
      remove: async (name) => void removed.push(name),
      connect: async () => undefined,
    },
    log: createLog('test', 'silent'),
    metrics: createMetrics('test', '0'),
  });

  await expect(host.clear()).rejects.toThrow('Device or resource busy');

  expect(commands.some((command) => command.includes('-D DOCKER-USER'))).toBe(true);
  expect(commands).toContain('ip link delete dev plimsoll-vx');
  expect(removed).toEqual(['plimsoll-10-200-0-0-26']);
});
