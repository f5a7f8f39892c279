/**
 * What compose/monitoring.yml says of its containers, said of programs of a host. A directory stands in for the containers'
 * root: what lies at /etc/prometheus there lies at <directory>/etc/prometheus here. Pure but for the files it reads.
 */
import { dirname, join } from 'node:path';
import { configurationText, type MonitoringCompose, type MonitoringService } from './monitoring-compose.ts';

export const monitoringPrograms = ['prometheus', 'alertmanager', 'grafana'] as const;
export type MonitoringProgram = (typeof monitoringPrograms)[number];

export interface NativeFile {
  readonly path: string;
  readonly text: string;
}

export interface NativeProgram {
  readonly name: MonitoringProgram;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly configurations: readonly NativeFile[];
  /** Where its secrets are read from. */
  readonly secretFiles: readonly string[];
  /** Where it stores what it is to keep. */
  readonly dataDirectories: readonly string[];
  /** Answers 200 when it is well. */
  readonly readyUrl: string;
}

/** `file` is the program's; Grafana finds what its package brings beside it. */
export function nativeProgram(
  compose: MonitoringCompose,
  name: MonitoringProgram,
  { file, directory }: { readonly file: string; readonly directory: string },
): NativeProgram {
  const service = compose.services[name];
  const dataDirectories = service.volumes.map((volume) => join(directory, volume.slice(volume.indexOf(':') + 1)));
  const common = {
    name,
    configurations: service.configs.map(({ source, target }) => ({
      path: join(directory, target),
      text: withPathsBelow(directory, configurationText(compose, source)),
    })),
    secretFiles: service.secrets.map(({ target }) => join(directory, secretPath(target))),
    dataDirectories,
    readyUrl: readyUrlOf(service),
  };
  if (name !== 'grafana')
    return { ...common, args: service.command.map((word) => argument(directory, word)), environment: {} };
  const [data = directory] = dataDirectories;
  const environment = { ...environmentOf(service, directory), ...grafanaPaths(directory, data) };
  return { ...common, args: ['server', '--homepath', dirname(dirname(file))], environment };
}

/** A secret without a directory lies where containers have theirs. */
function secretPath(target: string): string {
  return target.startsWith('/') ? target : join('/run/secrets', target);
}

export function readyUrlOf({ healthcheck }: Pick<MonitoringService, 'healthcheck'>): string {
  return healthcheck.test.at(-1) ?? '';
}

/** `--config.file=/etc/prometheus/prometheus.yml` */
function argument(directory: string, word: string): string {
  return word.replace(/=(?=\/)/, `=${directory}`);
}

function withPathsBelow(directory: string, text: string): string {
  return text.replace(/(?<=\s)\/etc\/(?=prometheus\/|alertmanager\/|grafana\/)/g, `${directory}/etc/`);
}

/** `NAME__FILE` is a word of Grafana's image; Grafana itself says `$__file{path}`. */
function environmentOf({ environment }: MonitoringService, directory: string): Record<string, string> {
  const entries = Object.entries(environment).map(([name, value]) => {
    const path = value.startsWith('/') ? join(directory, value) : value;
    return name.endsWith('__FILE') ? [name.slice(0, -'__FILE'.length), `$__file{${path}}`] : [name, path];
  });
  return Object.fromEntries(entries);
}

/** Where its image has them by itself. */
function grafanaPaths(directory: string, data: string): Record<string, string> {
  return {
    GF_PATHS_DATA: data,
    GF_PATHS_LOGS: join(data, 'log'),
    GF_PATHS_PLUGINS: join(data, 'plugins'),
    GF_PATHS_PROVISIONING: join(directory, 'etc', 'grafana', 'provisioning'),
  };
}
