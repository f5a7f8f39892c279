import { describe, expect, it } from 'vitest';
import { explainRefusal } from '../../../../agent/plan/failure-words.ts';

describe('why an image could not be had', () => {
  it.each([
    ['toomanyrequests: You have reached your pull rate limit.', 'the registry limits how often it may be asked'],
    ['unauthorized: authentication required', 'the registry has no such image for these credentials'],
    ['pull access denied for web, repository does not exist', 'the registry has no such image for these credentials'],
    ['manifest for web:1 not found: manifest unknown', 'the registry has no such image'],
    ['dial tcp: lookup registry: no such host', 'the image is not on this node and could not be pulled'],
  ])('%s', (registry, meaning) => {
    const words = `No such image: web:1: ${registry}`;
    const { kind, sentence } = explainRefusal('pull', words);

    expect(kind).toBe('image');
    expect(sentence).toMatch(/^No such image: web:1: /);
    expect(sentence).toContain(`${registry} (${meaning}`);
  });
});
