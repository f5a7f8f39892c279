/** The configuration file of a NATS server. Pure. */
import type { ServerTrust } from '../identity/keys.ts';

export interface NatsConfig {
  /** Names the server; unique in a cluster, and how a running one is recognised. */
  readonly serverName: string;
  /** Interfaces to listen on: 127.0.0.1, or 0.0.0.0 when other hosts may come. */
  readonly listenHost: string;
  readonly port: number;
  readonly storeDir: string;
  readonly pidFile: string;
  readonly trust: ServerTrust;
  /** Needed as soon as the server listens off loopback. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

const quote = (text: string): string => JSON.stringify(text);

/** Text for nats-server >= 2.10. `sync_interval: always` makes an acknowledged write a durable one. */
export function natsConfigText(config: NatsConfig): string {
  const { trust, tls } = config;
  const lines = [
    `server_name: ${quote(config.serverName)}`,
    `listen: ${quote(`${config.listenHost}:${config.port}`)}`,
    `pid_file: ${quote(config.pidFile)}`,
    'max_payload: 8MB',
    'max_pending: 256MB',
    'write_deadline: "10s"',
    // Notices a dead client soon; clients ping by themselves twice a second.
    'ping_interval: "5s"',
    'ping_max: 2',
    'lame_duck_duration: "30s"',
    'jetstream {',
    `  store_dir: ${quote(config.storeDir)}`,
    '  sync_interval: always',
    '  max_memory_store: 2GB',
    '}',
    `operator: ${quote(trust.operatorJwt)}`,
    `system_account: ${quote(trust.systemAccountPublicKey)}`,
    'resolver: MEMORY',
    'resolver_preload {',
    `  ${trust.accountPublicKey}: ${quote(trust.accountJwt)}`,
    `  ${trust.systemAccountPublicKey}: ${quote(trust.systemAccountJwt)}`,
    '}',
    ...(tls ? ['tls {', `  cert_file: ${quote(tls.certificateFile)}`, `  key_file: ${quote(tls.keyFile)}`, '}'] : []),
  ];
  return `${lines.join('\n')}\n`;
}
