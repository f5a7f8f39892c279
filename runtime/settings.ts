/** Settings of a process: flag, then environment `PLIMSOLL_*`, then config file; unknown keys are errors. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';
import { PlimsollError } from './errors.ts';

export interface SettingSources {
  /** What the command line gave, by setting name (camelCase); `undefined` where it gave nothing. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A YAML or JSON file; absent = none. */
  readonly configFile: string | undefined;
}

/** `stateDir` -> `PLIMSOLL_STATE_DIR`. */
export function environmentName(setting: string): string {
  return `PLIMSOLL_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The settings of a schema from all three sources; throws `invalid`, naming the key and the source. */
export function readSettings<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  sources: SettingSources,
): z.infer<z.ZodObject<S>> {
  const file = readConfigFile(sources.configFile);
  const names = Object.keys(schema.shape);
  for (const key of Object.keys(file)) {
    if (!names.includes(key)) {
      throw new PlimsollError(
        'invalid',
        `Unknown setting "${key}" in ${sources.configFile}; known: ${names.join(', ')}`,
      );
    }
  }
  const chosen = names.map((name) => [
    name,
    sources.flags[name] ?? sources.environment[environmentName(name)] ?? file[name],
  ]);
  const result = schema.safeParse(Object.fromEntries(chosen.filter(([, value]) => value !== undefined)));
  if (result.success) return result.data;
  throw new PlimsollError('invalid', `Cannot use these settings: ${z.prettifyError(result.error)}`);
}

function readConfigFile(path: string | undefined): Record<string, unknown> {
  if (path === undefined) return {};
  try {
    return z.record(z.string(), z.unknown()).parse(parseYaml(readFileSync(path, 'utf8')) ?? {});
  } catch (error) {
    throw new PlimsollError('invalid', `Cannot read the config file ${path}`, { cause: error });
  }
}

/** Loaded for those who have such a file: the parser stays in memory, and few daemons are set up with one. */
function parseYaml(text: string): unknown {
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return yaml.parse(text);
}
