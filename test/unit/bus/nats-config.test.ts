import { describe, expect, test } from 'vitest';
import { type NatsConfig, natsConfigText } from '../../../bus/server/nats-config.ts';

const trust = {
  operatorJwt: 'operator.jwt',
  accountPublicKey: 'AACCOUNT',
  accountJwt: 'account.jwt',
  systemAccountPublicKey: 'ASYSTEM',
  systemAccountJwt: 'system.jwt',
};

function aConfig(changes: Partial<NatsConfig> = {}): NatsConfig {
  const place = { serverName: 'n1', listenHost: '127.0.0.1', port: 4222, storeDir: '/s', pidFile: '/p' };
  return { ...place, trust, tls: undefined, ...changes };
}

describe('natsConfigText()', () => {
  test('has JetStream acknowledge only what the disk has', () => {
    expect(natsConfigText(aConfig())).toContain('sync_interval: always');
  });

  test('speaks TLS when it is given certificates, and only then', () => {
    const tls = { certificateFile: '/c.pem', keyFile: '/k.pem' };

    expect(natsConfigText(aConfig({ listenHost: '0.0.0.0', tls }))).toContain('cert_file: "/c.pem"');
    expect(natsConfigText(aConfig())).not.toContain('tls');
  });

  test('quotes paths, whatever is in them', () => {
    expect(natsConfigText(aConfig({ storeDir: '/a "b" {c}' }))).toContain('store_dir: "/a \\"b\\" {c}"');
  });
});
