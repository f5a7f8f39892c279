import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatMonitoring } from '../../../../cli/commands/monitoring.ts';
import { revisionOf } from '../../../../cli/monitoring/monitoring-compose.ts';
import {
  type ClusterDocker,
  deployMonitoring,
  monitoringStatus,
  removeMonitoring,
} from '../../../../cli/monitoring/monitoring-stack.ts';

interface Call {
  readonly words: string;
  readonly input: string | undefined;
  readonly environment: Readonly<Record<string, string>> | undefined;
}

/** Answers by how a command begins; nothing to all others. */
function recordingDocker(answers: Readonly<Record<string, string>>): { calls: Call[]; docker: ClusterDocker } {
  const calls: Call[] = [];
  const docker: ClusterDocker = async (args, { input, environment } = {}) => {
    const words = args.join(' ');
    calls.push({ words, input, environment });
    return Object.entries(answers).find(([beginning]) => words.startsWith(beginning))?.[1] ?? '';
  };
  return { calls, docker };
}
const alertsToken = async () => 'the-token';

describe('plim monitoring', () => {
  it('makes the secrets, then deploys, and tells the password once', async () => {
    const { calls, docker } = recordingDocker({});
    const { newPassword } = await deployMonitoring({ docker, alertsToken });
    expect(newPassword).toMatch(/^[0-9a-f]{24}$/);
    const [, token, password, deploy] = calls;
    expect(token).toMatchObject({ words: 'secret create plimsoll-alerts-token -', input: 'the-token' });
    expect(password).toMatchObject({ words: 'secret create plimsoll-grafana-password -', input: newPassword });
    expect(deploy?.words).toMatch(/^stack deploy --compose-file \S+\/compose\/monitoring.yml monitoring$/);
    expect(deploy?.environment?.['PLIMSOLL_MONITORING_REVISION']).toMatch(/^[0-9a-f]{12}$/);
  });

  it('leaves secrets that are there alone', async () => {
    const { calls, docker } = recordingDocker({ 'secret ls': 'plimsoll-alerts-token\nplimsoll-grafana-password\n' });
    expect(await deployMonitoring({ docker, alertsToken })).toEqual({ newPassword: undefined });
    expect(calls.map(({ words }) => words.split(' ').slice(0, 2).join(' '))).toEqual(['secret ls', 'stack deploy']);
  });

  it('takes the token away with the stack, so that a rotated one is taken next time', async () => {
    const { calls, docker } = recordingDocker({ 'secret ls': 'plimsoll-alerts-token\nplimsoll-grafana-password\n' });
    await removeMonitoring({ docker });
    expect(calls.map(({ words }) => words)).toEqual([
      'stack rm monitoring',
      'secret ls --format {{.Name}}',
      'secret rm plimsoll-alerts-token',
    ]);
  });

  it('says where Grafana is', async () => {
    const { docker } = recordingDocker({
      'service ls': 'monitoring_grafana\t1/1\tgrafana/grafana:12\nmonitoring_prometheus\t0/1\tprom/prometheus:v3\n',
      'service ps': 'h2\n',
    });
    const status = await monitoringStatus({ docker });
    expect(status.grafanaNode).toBe('h2');
    const shown = formatMonitoring({ ...status, grafana: 'http://192.0.2.2:3000', nativeHost: undefined });
    expect(shown).toContain('monitoring_prometheus   0/1');
    expect(shown).toMatch(/Grafana: http:\/\/192.0.2.2:3000\n$/);
  });

  it('says that nothing is deployed, or that another host has them as its programs', async () => {
    const { docker } = recordingDocker({});
    const nothing = { ...(await monitoringStatus({ docker })), grafana: undefined };
    expect(formatMonitoring({ ...nothing, nativeHost: undefined })).toBe(
      'Not deployed. Deploy it: plim monitoring up\n',
    );
    expect(formatMonitoring({ ...nothing, nativeHost: 'h2' })).toMatch(/^They run as programs of h2\. /);
  });
});

describe('the revision of the configurations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-compose-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('changes with the content of a file, not with anything else', () => {
    const compose = join(folder, 'stack.yml');
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('stack.yml', 'configs: { one: { file: ./one.yml } }');
    write('one.yml', 'a');
    const before = revisionOf(compose);
    expect(revisionOf(compose)).toBe(before);
    write('one.yml', 'b');
    expect(revisionOf(compose)).not.toBe(before);
  });
});
