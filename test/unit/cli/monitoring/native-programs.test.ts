import { describe, expect, it } from 'vitest';
import { formatGrafana, formatPrograms } from '../../../../cli/commands/monitoring.ts';
import { readCompose } from '../../../../cli/monitoring/monitoring-compose.ts';
import { monitoringPrograms, nativeProgram } from '../../../../cli/monitoring/native-programs.ts';

const directory = '/state/monitoring';
const compose = readCompose();
const programOf = (name: (typeof monitoringPrograms)[number]) =>
  nativeProgram(compose, name, { file: `/opt/${name}/bin/${name}`, directory });

describe('a program of the monitoring stack on a host', () => {
  it('is told what its container is told, with its files below the directory', () => {
    const { args, dataDirectories, readyUrl } = programOf('prometheus');
    expect(args).toHaveLength(compose.services.prometheus.command.length);
    expect(args).toContain('--config.file=/state/monitoring/etc/prometheus/prometheus.yml');
    expect(args).toContain('--storage.tsdb.path=/state/monitoring/prometheus');
    expect(args).toContain('--storage.tsdb.retention.time=15d');
    expect(dataDirectories).toEqual(['/state/monitoring/prometheus']);
    expect(readyUrl).toBe('http://127.0.0.1:9095/-/ready');
  });

  it.each(monitoringPrograms)(
    '%s is given each configuration its container is, and none that names a path of containers',
    (name) => {
      const { configurations } = programOf(name);
      expect(configurations.map(({ path }) => path)).toEqual(
        compose.services[name].configs.map(({ target }) => `${directory}${target}`),
      );
      const elsewhere = /(?<!\/state\/monitoring)\/etc\/(?:prometheus|alertmanager|grafana)\//;
      expect(configurations.filter(({ text }) => elsewhere.test(text)).map(({ path }) => path)).toEqual([]);
    },
  );

  it('Alertmanager reads the token where it is written', () => {
    const { configurations, secretFiles } = programOf('alertmanager');
    expect(secretFiles).toEqual(['/state/monitoring/etc/alertmanager/plimsoll-token']);
    expect(configurations[0]?.text).toContain(`credentials_file: ${secretFiles[0]}\n`);
  });

  it('Grafana finds what its package brings, and our dashboards, and its password in a file', () => {
    const { args, environment, secretFiles } = programOf('grafana');
    expect(args).toEqual(['server', '--homepath', '/opt/grafana']);
    expect(secretFiles).toEqual(['/state/monitoring/run/secrets/grafana-password']);
    expect(environment).toMatchObject({
      GF_SECURITY_ADMIN_PASSWORD: '$__file{/state/monitoring/run/secrets/grafana-password}',
      GF_SERVER_HTTP_PORT: '3000',
      GF_PATHS_PROVISIONING: '/state/monitoring/etc/grafana/provisioning',
      GF_PATHS_DATA: '/state/monitoring/var/lib/grafana',
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: '/state/monitoring/etc/grafana/plimsoll/plimsoll-cluster.json',
    });
  });

  it('is shown with its address and what is wrong with it', () => {
    const url = 'http://127.0.0.1:9095';
    const shown = formatPrograms([{ name: 'prometheus', url, problem: 'it answers 503' }]);
    expect(shown).toMatch(/^PROGRAM +STATE +URL\nprometheus +it answers 503 +http:\/\/127.0.0.1:9095\n$/);
  });

  it('Grafana’s password is told when it is made, and where it lies each time', () => {
    const passwordPath = '/state/monitoring/run/secrets/grafana-password';
    expect(formatGrafana({ passwordPath, newPassword: 'abc' })).toContain(`the password abc (also in ${passwordPath})`);
    expect(formatGrafana({ passwordPath, newPassword: undefined })).toContain(`the password is in ${passwordPath}`);
    expect(formatGrafana({ absence: 'Grafana does not run: why' })).toBe('Grafana does not run: why\n');
  });
});
