import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { createForward, nameserversOf } from '../../../../agent/dns/forward.ts';
import { Resolver } from '../../../../agent/dns/resolver.ts';
import type { Zone } from '../../../../agent/dns/zone.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { createLog } from '../../../../runtime/log.ts';

const zone: Zone = {
  v: 1,
  listen: ['10.200.0.1'],
  networks: {
    back: { db: ['10.208.0.1'], 'tasks.db': ['10.200.1.2', '10.200.1.3'], 'db.1': ['10.200.1.2'] },
    front: { web: ['10.208.0.2'], db: ['10.208.0.9'] },
    big: { many: Array.from({ length: 60 }, (_, index) => `10.200.7.${index + 2}`) },
  },
  askers: {
    '10.200.0.2': { networks: ['back'], confined: true, nameservers: [] },
    '10.200.0.3': { networks: ['front', 'big'], confined: false, nameservers: [] },
    '10.200.0.4': { networks: ['front'], confined: false, nameservers: ['192.0.2.53'] },
  },
  reverse: { back: { '10.200.1.2': 'db.1' } },
};

describe('the resolver of a host', () => {
  const forwarded: (readonly string[])[] = [];
  const resolver = new Resolver({
    zone: () => zone,
    forward: async (query, servers) => {
      forwarded.push(servers);
      if (servers.includes('192.0.2.9')) throw new Error('nobody there');
      return query;
    },
    nameservers: async () => ['192.0.2.1'],
    log: createLog('test', 'silent'),
  });
  const raw = (name: string, type: 'A' | 'AAAA' | 'PTR' | 'MX', asker: string, transport: 'udp' | 'tcp' = 'udp') =>
    resolver.answer(dnsPacket.encode({ type: 'query', id: 7, questions: [{ name, type }] }), asker, transport);
  const ask = async (...args: Parameters<typeof raw>) => {
    const reply = dnsPacket.decode((await raw(...args)) ?? Buffer.alloc(0));
    const data = (reply.answers ?? []).map((answer) => ('data' in answer ? answer.data : undefined));
    return { id: reply.id, rcode: 'rcode' in reply ? reply.rcode : undefined, data, reply };
  };

  test('tells members of a network the names on it, in any spelling, for a second', async () => {
    const { rcode, data, reply } = await ask('Db', 'A', '10.200.0.2');
    expect({ rcode, data, ttl: reply.answers?.map((answer) => 'ttl' in answer && answer.ttl) }).toEqual({
      rcode: 'NOERROR',
      data: ['10.208.0.1'],
      ttl: [1],
    });
    expect((await ask('tasks.db', 'A', '10.200.0.2')).data).toEqual(['10.200.1.2', '10.200.1.3']);
    expect((await ask('db.1', 'A', '10.200.0.2')).data).toEqual(['10.200.1.2']);
  });

  test('answers by who asks: the same name is another service elsewhere', async () => {
    expect((await ask('db', 'A', '10.200.0.3')).data).toEqual(['10.208.0.9']);
  });

  test('a known name has no other records and is never looked up elsewhere', async () => {
    forwarded.length = 0;
    expect(await ask('web', 'AAAA', '10.200.0.3')).toMatchObject({ rcode: 'NOERROR', data: [] });
    expect(await ask('web', 'MX', '10.200.0.3')).toMatchObject({ rcode: 'NOERROR', data: [] });
    expect(forwarded).toEqual([]);
  });

  test('names addresses', async () => {
    expect((await ask('2.1.200.10.in-addr.arpa', 'PTR', '10.200.0.2')).data).toEqual(['db.1']);
  });

  test('passes other names to the host’s resolvers, or to those the service asked for', async () => {
    forwarded.length = 0;
    await raw('example.org', 'A', '10.200.0.3');
    await raw('example.org', 'A', '10.200.0.4');
    expect(forwarded).toEqual([['192.0.2.1'], ['192.0.2.53']]);
  });

  test('refuses strangers, and other names to whoever is on internal networks only', async () => {
    expect((await ask('db', 'A', '10.9.9.9')).rcode).toBe('REFUSED');
    expect((await ask('example.org', 'A', '10.200.0.2')).rcode).toBe('REFUSED');
  });

  test('cuts an answer that is too long for UDP, and gives the whole over TCP', async () => {
    const cut = await ask('many', 'A', '10.200.0.3');
    expect(cut.data).toEqual([]);
    expect(cut.reply).toMatchObject({ flag_tc: true });
    expect((await ask('many', 'A', '10.200.0.3', 'tcp')).data).toHaveLength(60);
  });

  test('says that it failed when nobody answers, and nothing at all to garbage', async () => {
    const broken = new Resolver({
      zone: () => zone,
      forward: async () => Promise.reject(new Error('timeout')),
      nameservers: async () => [],
      log: createLog('test', 'silent'),
    });
    const question = dnsPacket.encode({ type: 'query', id: 9, questions: [{ name: 'example.org', type: 'A' }] });
    const reply = await broken.answer(question, '10.200.0.3', 'udp');
    expect(dnsPacket.decode(reply ?? Buffer.alloc(0))).toMatchObject({ id: 9, rcode: 'SERVFAIL' });
    expect(await broken.answer(Buffer.from('no dns'), '10.200.0.3', 'udp')).toBeUndefined();
  });

  test('bounds what one container can keep waiting', async () => {
    const slow = new Resolver({
      zone: () => zone,
      forward: () => new Promise(() => undefined),
      nameservers: async () => ['192.0.2.1'],
      log: createLog('test', 'silent'),
    });
    const question = dnsPacket.encode({ type: 'query', id: 1, questions: [{ name: 'example.org', type: 'A' }] });
    for (let count = 0; count < 64; count += 1) void slow.answer(question, '10.200.0.3', 'udp');
    const refused = await slow.answer(question, '10.200.0.3', 'udp');
    expect(dnsPacket.decode(refused ?? Buffer.alloc(0))).toMatchObject({ rcode: 'REFUSED' });
  });
});

test('reads the host’s resolvers', () => {
  expect(nameserversOf('# c\nnameserver 10.0.0.1\nsearch a.b\nnameserver  ::1 \n#nameserver 9.9.9.9\n')).toEqual([
    '10.0.0.1',
    '::1',
  ]);
});

test('a resolver that cannot even be reached is an error of the question, not the end of the daemon', async () => {
  const query = dnsPacket.encode({ type: 'query', id: 9, questions: [{ name: 'example.org', type: 'A' }] });
  // The broadcast address: the kernel refuses to connect there.
  await expect(createForward(systemClock)(query, ['255.255.255.255'], 'udp')).rejects.toThrow(/EACCES|ENETUNREACH/);
});
