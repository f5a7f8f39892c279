import { Readable } from 'node:stream';
import type { Request } from 'express';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { readJson } from '../../../../../coordinator/api/docker/request-body.ts';

const read = (text: string) => {
  const request = Object.assign(Readable.from([Buffer.from(text)]), {
    headers: { 'content-type': 'application/json' },
  });
  return readJson(request as unknown as Request, z.unknown());
};

it('refuses what is nested so deep that it would overflow the stack', async () => {
  await expect(read(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)).rejects.toMatchObject({ status: 400 });
  await expect(read(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`)).rejects.toThrow('nested deeper than 100 levels');
});

it('does not take brackets in strings, or one after the other, for depth', async () => {
  const json = { text: `\\"${'['.repeat(500)}`, list: Array.from({ length: 500 }, () => []) };

  expect(await read(JSON.stringify(json))).toEqual(json);
});

it('looks at each character of a broken body once, or this would take half a minute', async () => {
  await expect(read(`"${'\\"'.repeat(40_000)}`)).rejects.toMatchObject({ status: 400 });
});
