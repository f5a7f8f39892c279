import { describe, expect, it } from 'vitest';
import { OomKills } from '../../../../agent/metrics/oom-kills.ts';

const web = { 'com.docker.swarm.service.name': 'web', 'com.docker.stack.namespace': 'shop' };

describe('OomKills', () => {
  it('keeps the kills of a service when its containers are gone', () => {
    const kills = new OomKills();
    kills.observe('a', web, 2);
    kills.forget('a');
    kills.observe('b', web, 1);

    expect([...kills.services()]).toEqual([{ service: 'web', stack: 'shop', kills: 3 }]);
  });

  it('counts a kill once that both the kernel and the engine tell of', () => {
    const kills = new OomKills();
    kills.event('a', web);

    expect(kills.observe('a', web, 1)).toBe(1);
    expect([...kills.services()]).toMatchObject([{ kills: 1 }]);
  });

  it('takes the word of the kernel for how many there were, however often the engine told', () => {
    const kills = new OomKills();
    kills.event('a', web);
    kills.event('a', web);

    expect(kills.observe('a', web, undefined)).toBe(1);
    expect(kills.observe('a', web, 1)).toBe(1);
    expect(kills.observe('a', web, 3)).toBe(3);
    expect([...kills.services()]).toMatchObject([{ kills: 3 }]);
  });

  it('counts a kill in each run of a container that never lived to be read', () => {
    const kills = new OomKills();
    for (const _run of [1, 2]) {
      kills.started('a');
      kills.event('a', web);
      kills.event('a', web);
    }

    expect([...kills.services()]).toMatchObject([{ kills: 2 }]);
  });

  it('counts a kill once when the new run is read before the engine tells of its start', () => {
    const kills = new OomKills();
    kills.event('a', web);
    kills.observe('a', web, 1);
    kills.observe('a', web, 0);
    kills.started('a');

    expect(kills.observe('a', web, 1)).toBe(2);
  });

  it('goes on from where it was when the kernel counts a restarted container from 0', () => {
    const kills = new OomKills();
    kills.observe('a', web, 2);
    kills.observe('a', web, 0);

    expect(kills.observe('a', web, 1)).toBe(3);
  });

  it('shows a service that has lost none, so that its first kill is an increase', () => {
    const kills = new OomKills();
    kills.observe('a', web, 0);

    expect([...kills.services()]).toEqual([{ service: 'web', stack: 'shop', kills: 0 }]);
  });

  it('counts for the services of Compose, and for no service what belongs to none', () => {
    const kills = new OomKills();
    kills.observe('a', { 'com.docker.compose.service': 'db', 'com.docker.compose.project': 'blog' }, 1);
    kills.observe('b', {}, 1);

    expect([...kills.services()]).toEqual([{ service: 'db', stack: 'blog', kills: 1 }]);
  });

  it('forgets the services not heard of for longest when there are too many', () => {
    const kills = new OomKills();
    for (let index = 0; index <= 1_000; index += 1) {
      kills.observe(`c${index}`, { 'com.docker.swarm.service.name': `s${index}` }, 1);
    }

    const names = [...kills.services()].map(({ service }) => service);
    expect(names).toHaveLength(1_000);
    expect(names).not.toContain('s0');
  });

  it('forgets containers nobody tells of any more, those of long ago first', () => {
    const kills = new OomKills();
    kills.observe('old', web, 2);
    for (let index = 0; index < 10_000; index += 1) kills.observe(`c${index}`, {}, 0);

    expect(kills.observe('old', web, 1)).toBe(1);
    expect(kills.observe('c9999', {}, 1)).toBe(1);
  });
});
