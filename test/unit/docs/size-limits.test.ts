/** The table of sizes in docs/operations.md: what it says is taken, and a bit more is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Request } from 'express';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../../coordinator/api/docker/request-body.ts';
import { checkPayload } from '../../../coordinator/payloads/payload-rules.ts';
import { checkServiceSpec } from '../../../coordinator/wishes/service-rules.ts';
import { parseProbe } from '../../../model/probe.ts';
import type { ServiceSpec } from '../../../model/service-spec.ts';
import { packageRoot } from '../../../runtime/version.ts';
import { aSpec } from '../../support/snapshots.ts';

const operations = readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8');
const units: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20 };

/** The number in the table, in bytes where it is a size. */
function limit(what: string): number {
  const [, amount, unit = ''] = new RegExp(`^\\| ${what} \\| ([\\d.]+) ?(\\S*) \\|$`, 'm').exec(operations) ?? [];
  return Number(amount) * (units[unit] ?? 1);
}

const withTask = (part: Partial<ServiceSpec['TaskTemplate']>): ServiceSpec => {
  const spec = aSpec();
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ...part } };
};
const padded = (bytes: number): ServiceSpec => {
  const empty = aSpec({ Labels: { pad: '' } });
  return aSpec({ Labels: { pad: 'x'.repeat(bytes - JSON.stringify(empty).length) } });
};
/** Of many parts: the grammar says nothing of their number. */
const imageName = (length: number) => `a/`.repeat(length / 2 - 1) + 'a'.repeat(2 + (length % 2));
const read = (text: string) => {
  const request = Object.assign(Readable.from([Buffer.from(text)]), {
    headers: { 'content-type': 'application/json' },
  });
  return readJson(request as unknown as Request, z.unknown());
};

describe('docs/operations.md', () => {
  it.each<[string, (size: number) => ServiceSpec]>([
    ['the specification of a service', padded],
    ['the replicas of a service', (replicas) => aSpec({ Mode: { Replicated: { Replicas: replicas } } })],
    ['the name of a service', (length) => aSpec({ Name: 'a'.repeat(length) })],
    ['the name of an image', (length) => withTask({ ContainerSpec: { Image: imageName(length) } })],
  ])('%s: at most', (what, make) => {
    expect(() => checkServiceSpec(make(limit(what)))).not.toThrow();
    expect(() => checkServiceSpec(make(limit(what) + 1))).toThrow(/\S/);
  });

  it.each<[string, (least: number) => ServiceSpec, number]>([
    [
      'the least memory a service may ask for',
      (bytes) => withTask({ Resources: { Limits: { MemoryBytes: bytes } } }),
      1,
    ],
    [
      'the least share of a processor a service may ask for',
      (share) => withTask({ Resources: { Reservations: { NanoCPUs: Math.round(share * 1e9) } } }),
      1e-9,
    ],
  ])('%s', (what, make, step) => {
    expect(() => checkServiceSpec(make(limit(what)))).not.toThrow();
    expect(() => checkServiceSpec(make(limit(what) - step))).toThrow('Must be at least');
  });

  it.each(['secret', 'config'] as const)('the content of a %s, and its name', (kind) => {
    const [bytes, letters] = [limit(`the content of a ${kind}`), limit('the name of a secret or config')];
    const check = (name: number, content: number) => () =>
      checkPayload(kind, { Name: 'a'.repeat(name), Labels: {} }, Buffer.alloc(content));

    expect(check(letters, bytes)).not.toThrow();
    expect(check(letters + 1, bytes)).toThrow('invalid name');
    expect(check(letters, bytes + 1)).toThrow('must be larger than 0 and less than');
  });

  it('the least time between two probes of a container', () => {
    const leastMs = limit('the least time between two probes of a container');
    expect(parseProbe(`period=${leastMs}ms tcp://:1`)).toBeDefined();
    expect(parseProbe(`period=${leastMs - 1}ms tcp://:1`)).toBeUndefined();
  });

  it('the body of a request', async () => {
    const bytes = limit('the body of a request');
    expect(await read(`"${'x'.repeat(bytes - 2)}"`)).toHaveLength(bytes - 2);
    await expect(read(`"${'x'.repeat(bytes - 1)}"`)).rejects.toMatchObject({ status: 413 });
  });

  it('how deep JSON may be nested', async () => {
    const levels = limit('how deep JSON may be nested');
    expect(await read('['.repeat(levels) + ']'.repeat(levels))).toBeDefined();
    await expect(read('['.repeat(levels + 1) + ']'.repeat(levels + 1))).rejects.toThrow('nested deeper');
  });
});
