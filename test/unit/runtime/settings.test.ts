import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { environmentName, readSettings } from '../../../runtime/settings.ts';

const schema = z.object({
  stateDir: z.string().default('/var/lib/plimsoll'),
  port: z.coerce.number().int().default(1),
});
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plimsoll-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function configFile(text: string): string {
  const path = join(folder, 'config.yml');
  writeFileSync(path, text);
  return path;
}

describe('readSettings()', () => {
  it('prefers the flag, then the environment, then the file, then the default', () => {
    const file = configFile('port: 4\nstateDir: /from/file\n');
    const environment = { PLIMSOLL_PORT: '3' };

    expect(readSettings(schema, { flags: { port: 2 }, environment, configFile: file }).port).toBe(2);
    expect(readSettings(schema, { flags: {}, environment, configFile: file }).port).toBe(3);
    expect(readSettings(schema, { flags: {}, environment: {}, configFile: file }).port).toBe(4);
    expect(readSettings(schema, { flags: {}, environment: {}, configFile: undefined }).port).toBe(1);
  });

  it('refuses an unknown key of the file by name', () => {
    const file = configFile('prot: 4\n');

    expect(() => readSettings(schema, { flags: {}, environment: {}, configFile: file })).toThrow(
      /"prot".*known:.*port/,
    );
  });

  it('names the setting that has the wrong type', () => {
    const sources = { flags: { port: 'many' }, environment: {}, configFile: undefined };

    expect(() => readSettings(schema, sources)).toThrow(/port/);
  });

  it('says which file cannot be read', () => {
    const sources = { flags: {}, environment: {}, configFile: join(folder, 'absent.yml') };

    expect(() => readSettings(schema, sources)).toThrow(/absent\.yml/);
  });
});

describe('environmentName()', () => {
  it('writes camelCase as PLIMSOLL_UPPER_CASE', () => {
    expect(environmentName('stateDir')).toBe('PLIMSOLL_STATE_DIR');
  });
});
