import { describe, expect, it } from 'vitest';
import { cgroupPlace } from '../../../../agent/metrics/cgroup-place.ts';

const id = 'c0ffee'.repeat(10);

describe('cgroupPlace()', () => {
  it('finds co-mounted v1 controllers under each of their names', () => {
    const text = `3:cpu,cpuacct:/docker/${id}\n4:memory:/docker/${id}\n0::/docker/${id}\n`;

    const place = cgroupPlace(text, id, '/cg');

    expect(place?.version).toBe(1);
    expect(place?.files.get('cpuacct.usage')).toBe(`/cg/cpuacct/docker/${id}/cpuacct.usage`);
    expect(place?.files.get('cpu.stat')).toBe(`/cg/cpu/docker/${id}/cpu.stat`);
  });

  it('takes v2 when no v1 controller is mounted', () => {
    const place = cgroupPlace(`0::/system.slice/docker-${id}.scope\n`, id, '/cg');

    expect(place).toMatchObject({ version: 2, path: `/system.slice/docker-${id}.scope` });
    expect(place?.files.get('memory.current')).toBe(`/cg/system.slice/docker-${id}.scope/memory.current`);
  });

  it('answers nothing for a process outside the container', () => {
    expect(cgroupPlace('0::/system.slice/ssh.service\n', id, '/cg')).toBeUndefined();
  });
});
