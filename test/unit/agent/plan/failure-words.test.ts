import { describe, expect, it } from 'vitest';
import { explainRefusal } from '../../../../agent/plan/failure-words.ts';

describe('why an image could not be had', () => {
  it.each([
    [
      'image-rate-limit',
      'toomanyrequests: You have reached your pull rate limit.',
      'the registry limits how often it may be asked',
    ],
    ['image-auth', 'unauthorized: authentication required', 'the registry has no such image for these credentials'],
    [
      'image-auth',
      'pull access denied for web, repository does not exist',
      'the registry has no such image for these credentials',
    ],
    ['image-not-found', 'manifest for web:1 not found: manifest unknown', 'the registry has no such image'],
    ['image', 'dial tcp: lookup registry: no such host', 'the image is not on this node and could not be pulled'],
  ])('%s: %s', (reason, registry, meaning) => {
    const words = `No such image: web:1: ${registry}`;
    const { kind, sentence } = explainRefusal('pull', words);

    expect(kind).toBe(reason);
    expect(sentence).toMatch(/^No such image: web:1: /);
    expect(sentence).toContain(`${registry} (${meaning}`);
  });
});

it('says that a disk is full, whatever the engine was doing', () => {
  expect(explainRefusal('create', 'write /var/lib/docker/x: no space left on device')).toEqual({
    kind: 'disk',
    sentence: 'write /var/lib/docker/x: no space left on device (a disk of this node is full)',
  });
});
