import { describe, expect, it } from 'vitest';
import { cgroupPlace } from '../../../../agent/metrics/cgroup-place.ts';

const id = 'c0ffee'.repeat(10);

describe('cgroupPlace()', () => {
  it('finds co-mounted v1 controllers under each of their names', () => {
    const text = `3:cpu,cpuacct:/docker/${id}\n4:memory:/docker/${id}\n`;

    expect(cgroupPlace(text, id, '/cg')).toEqual({
      path: `/docker/${id}`,
      v1: {
        cpu: `/cg/cpu/docker/${id}`,
        cpuacct: `/cg/cpuacct/docker/${id}`,
        memory: `/cg/memory/docker/${id}`,
      },
      unified: undefined,
    });
  });

  it('takes v2 when no v1 controller is mounted', () => {
    expect(cgroupPlace(`0::/system.slice/docker-${id}.scope\n`, id, '/cg')).toEqual({
      path: `/system.slice/docker-${id}.scope`,
      v1: {},
      unified: `/cg/system.slice/docker-${id}.scope`,
    });
  });

  it('finds the unified hierarchy of a hybrid host beside the controllers', () => {
    const text = `9:name=systemd:/docker/${id}\n1:cpu:/docker/${id}\n0::/docker/${id}\n`;

    expect(cgroupPlace(text, id, '/cg')).toEqual({
      path: `/docker/${id}`,
      v1: { cpu: `/cg/cpu/docker/${id}` },
      unified: `/cg/unified/docker/${id}`,
    });
  });

  it('takes what v1 has not from v2, where a host has split its controllers', () => {
    const text = `1:cpu,cpuacct:/system.slice/docker-${id}.scope\n0::/system.slice/docker-${id}.scope\n`;

    const place = cgroupPlace(text, id, '/cg');

    expect(place?.v1.memory).toBeUndefined();
    expect(place?.unified).toBe(`/cg/unified/system.slice/docker-${id}.scope`);
  });

  it('cuts off what a container made below its own group', () => {
    const place = cgroupPlace(`0::/system.slice/docker-${id}.scope/init.scope\n`, id, '/cg');

    expect(place?.path).toBe(`/system.slice/docker-${id}.scope`);
  });

  it('answers nothing for a process outside the container', () => {
    expect(cgroupPlace('0::/system.slice/ssh.service\n', id, '/cg')).toBeUndefined();
  });
});
