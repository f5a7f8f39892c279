/** compose/monitoring.yml: how Prometheus, Alertmanager and Grafana are configured, whether in containers or as programs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../runtime/version.ts';

const Mount = z.object({ source: z.string(), target: z.string() });
/** Without a target it has its own name. */
const SecretMount = z
  .object({ source: z.string(), target: z.string().optional() })
  .transform(({ source, target = source }) => ({ source, target }));

const MonitoringService = z.object({
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  configs: z.array(Mount),
  secrets: z.array(SecretMount).default([]),
  /** `<volume>:<path>` */
  volumes: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }),
});
export type MonitoringService = z.infer<typeof MonitoringService>;

const MonitoringCompose = z.object({
  services: z.object({ prometheus: MonitoringService, alertmanager: MonitoringService, grafana: MonitoringService }),
  configs: z.record(z.string(), z.object({ file: z.string() })),
});
export type MonitoringCompose = z.infer<typeof MonitoringCompose>;

export function composeFile(): string {
  return join(packageRoot(), 'compose', 'monitoring.yml');
}

export function readCompose(): MonitoringCompose {
  return MonitoringCompose.parse(parse(readFileSync(composeFile(), 'utf8'), { merge: true }));
}

/** The text of a configuration by its name in the file. */
export function configurationText({ configs }: MonitoringCompose, name: string): string {
  return readFileSync(join(dirname(composeFile()), configs[name]?.file ?? ''), 'utf8');
}

const Configurations = z.object({ configs: z.record(z.string(), z.object({ file: z.string() })) });

/** A word that changes with the content of the stack's configurations, which cannot be changed under one name. */
export function revisionOf(file: string): string {
  const { configs } = Configurations.parse(parse(readFileSync(file, 'utf8'), { merge: true }));
  const hash = createHash('sha256');
  for (const { file: content } of Object.values(configs)) hash.update(readFileSync(join(dirname(file), content)));
  return hash.digest('hex').slice(0, 12);
}
