/** `plim alerts`: alerts that act on services, and the token they come in with. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AlertTokenAnswer, AlertView } from '../../model/alert-view.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const tokenHelp = `
Alertmanager shows it at http://COORDINATOR:7700/v1/alerts:
  plim alerts token > /etc/alertmanager/plimsoll-token
  # in alertmanager.yml, below webhook_configs:
  #   http_config: { authorization: { credentials_file: /etc/alertmanager/plimsoll-token } }`;

export function addAlertsCommand(program: Command, terminal: Terminal): void {
  const alerts = program.command('alerts').description('show alerts that act on services, and the token they need');
  const list = alerts.command('ls').description('list the alerts that ask something of services');
  addFormatOption(addSocketOption(list)).action(async ({ format }: { format: OutputFormat }, given: Command) => {
    const client = createApiClient(commonSettings(given).socket);
    print(terminal, format, await client.get('/v1/alerts', z.array(AlertView)), formatAlerts);
  });
  const token = alerts.command('token').description('print the token Alertmanager shows at /v1/alerts');
  addSocketOption(token)
    .option('--rotate', 'make a new one first; the old one opens nothing any more')
    .addHelpText('after', tokenHelp)
    .action(async ({ rotate }: { rotate?: true }, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const answer = rotate
        ? await client.post('/v1/alerts/token/rotate', AlertTokenAnswer)
        : await client.get('/v1/alerts/token', AlertTokenAnswer);
      terminal.out(`${answer.token}\n`);
    });
}

export function formatAlerts(views: readonly AlertView[]): string {
  const rows = views.map(({ service, name, action, state, startsAtMs, words }) => {
    return [service, name, action, state, new Date(startsAtMs).toISOString(), words];
  });
  return formatTable(['SERVICE', 'ALERT', 'ACTION', 'STATE', 'BEGAN', 'WHY'], rows);
}
