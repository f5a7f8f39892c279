import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHostCommand } from '../../agent/network/command-runner.ts';
import { createIngressPorts, type IngressPorts } from '../../agent/network/ingress.ts';
import type { IngressEndpoint } from '../../agent/network/ingress-table.ts';
import { checkIngressSupport } from '../../agent/network/preflight.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { procFilesIn, runnerIn, shell, startIn } from '../support/network-namespace.ts';

const id = `plim${process.pid}`;
const [host, client] = [`${id}-host`, `${id}-client`];
const containers = [`${id}-c1`, `${id}-c2`];
const [hostAddress, clientAddress] = ['10.77.0.1', '10.77.0.2'];
const supported =
  process.getuid?.() === 0 &&
  (await checkIngressSupport(runHostCommand).then(
    () => true,
    () => false,
  ));

/** Answers every connection and datagram with the container's name and the address the caller had. */
const serverProgram = `
  const name = process.argv[1];
  require('node:net').createServer((socket) => socket.end(name + ' ' + socket.remoteAddress + '\\n')).listen(8080, '0.0.0.0', () => console.log('up'));
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (_, from) => udp.send(name + '\\n', from.port, from.address));
  udp.bind(8053);`;
const clientProgram = `
  const [address, port] = process.argv.slice(1);
  require('node:net').connect(Number(port), address).on('error', (e) => console.log(e.code)).pipe(process.stdout);`;

async function ask(namespace: string, address: string, port: number): Promise<string> {
  const { stdout } = await runnerIn(namespace)(process.execPath, ['-e', clientProgram, address, String(port)]);
  return stdout.trim();
}

function endpoint(container: number, published = 80): IngressEndpoint {
  return {
    taskId: `task-${container}`,
    protocol: 'tcp',
    publishedPort: published,
    address: `172.30.0.${container + 1}`,
    targetPort: 8080,
    affinity: 'none',
    masquerade: false,
  };
}

/** Docker's own forwarding rules, in short: drop what Docker does not know, ask DOCKER-USER first. */
const dockerLikeFirewall = `
  iptables -P FORWARD DROP
  iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -A FORWARD -j DOCKER-USER
  iptables -A FORWARD -i br0 ! -o br0 -j ACCEPT
  iptables -t nat -A POSTROUTING -s 172.30.0.0/24 ! -o br0 -j MASQUERADE`;

async function buildNetwork(): Promise<void> {
  await shell(`
    for n in ${[host, client, ...containers].join(' ')}; do ip netns add $n; ip -n $n link set lo up; done
    ip -n ${host} link add br0 type bridge; ip -n ${host} addr add 172.30.0.1/24 dev br0; ip -n ${host} link set br0 up
    ip -n ${host} link add out type veth peer name eth0 netns ${client}
    ip -n ${host} addr add ${hostAddress}/24 dev out; ip -n ${host} link set out up
    ip -n ${client} addr add ${clientAddress}/24 dev eth0; ip -n ${client} link set eth0 up
    nsenter --net=/run/netns/${host} sh -ec '${dockerLikeFirewall}; echo 1 > /proc/sys/net/ipv4/ip_forward'`);
  for (const [index, name] of containers.entries()) {
    await shell(`
      ip -n ${host} link add v${index} type veth peer name eth0 netns ${name}; ip -n ${host} link set v${index} master br0 up
      ip -n ${name} addr add 172.30.0.${index + 2}/24 dev eth0; ip -n ${name} link set eth0 up
      ip -n ${name} route add default via 172.30.0.1`);
  }
}

describe.skipIf(!supported)('ingress ports on a real kernel', () => {
  const servers: ChildProcess[] = [];
  let ports: IngressPorts;

  beforeAll(async () => {
    await buildNetwork();
    for (const name of containers) {
      servers.push(await startIn(name, process.execPath, ['-e', serverProgram, name.slice(id.length + 1)]));
    }
    ports = createIngressPorts({
      run: runnerIn(host),
      files: procFilesIn(host),
      clock: systemClock,
      log: createLog('test', 'silent'),
      metrics: new Registry(),
    });
  });

  afterAll(async () => {
    for (const server of servers) {
      server.kill('SIGKILL');
      await once(server, 'close');
    }
    await shell(`for n in ${[host, client, ...containers].join(' ')}; do ip netns del $n || true; done`);
  });

  it('turns a port over the containers and shows them the address of a caller from outside', async () => {
    await ports.apply([endpoint(1), endpoint(2)]);

    const answers = new Set<string>();
    for (let asked = 0; answers.size < 2 && asked < 40; asked += 1) answers.add(await ask(client, hostAddress, 80));

    expect([...answers].sort()).toEqual([`c1 ${clientAddress}`, `c2 ${clientAddress}`]);
  });

  it('answers on localhost, on its own address, and to its own containers', async () => {
    await ports.apply([endpoint(1)]);

    expect(await ask(host, '127.0.0.1', 80)).toBe('c1 172.30.0.1');
    expect(await ask(host, hostAddress, 80)).toMatch(/^c1 /);
    expect(await ask(containers[1] ?? '', hostAddress, 80)).toBe('c1 172.30.0.1');
    expect(await ask(containers[0] ?? '', hostAddress, 80)).toBe('c1 172.30.0.1');
  });

  it('sends a withdrawn task nothing, even when a list made before still names it', async () => {
    await ports.apply([endpoint(1), endpoint(2)]);
    await ports.withdraw('task-1');
    await ports.apply([endpoint(1), endpoint(2)]);

    const answers = [await ask(client, hostAddress, 80), await ask(client, hostAddress, 80)];

    expect(answers).toEqual([`c2 ${clientAddress}`, `c2 ${clientAddress}`]);
  });

  it('refuses connections to a port nobody serves', async () => {
    await ports.apply([]);

    expect(await ask(client, hostAddress, 80)).toBe('ECONNREFUSED');
  });

  it('loses no connection while the table is replaced', async () => {
    await ports.apply([endpoint(1)]);
    const outcomes = new Set<string>();
    const burst = `
      const net = require('node:net'); let left = 400, open = 0; const seen = new Set();
      const next = () => { if (left-- <= 0) { if (open === 0) console.log([...seen].join()); return; } open++;
        let text = ''; net.connect(80, '${hostAddress}').on('data', (d) => { text += d; })
          .on('error', (e) => seen.add(e.code)).on('close', () => { open--; seen.add(text.split(' ')[0]); next(); }); };
      for (let i = 0; i < 8; i++) next();`;
    const asking = runnerIn(client)(process.execPath, ['-e', burst]).then(({ stdout }) => outcomes.add(stdout.trim()));

    let replacements = 0;
    while (outcomes.size === 0) await ports.apply(replacements++ % 2 ? [endpoint(1)] : [endpoint(1), endpoint(2, 81)]);
    await asking;

    expect(replacements).toBeGreaterThan(2);
    expect([...outcomes]).toEqual(['c1']);
  });

  it('puts the table back when another program flushed it', async () => {
    await ports.apply([endpoint(1)]);
    await runnerIn(host)('nft', ['delete', 'table', 'ip', 'plimsoll']);
    const watching = new AbortController();

    const watched = ports.watch(watching.signal);
    await expect.poll(() => ask(client, hostAddress, 80), { timeout: 20_000 }).toBe(`c1 ${clientAddress}`);

    watching.abort();
    await watched;
  });

  it('leaves nothing on the host when removed', async () => {
    await ports.apply([endpoint(1)]);

    await ports.remove();

    const run = runnerIn(host);
    expect((await run('nft', ['list', 'table', 'ip', 'plimsoll'])).exitCode).not.toBe(0);
    expect((await run('iptables', ['-S', 'DOCKER-USER'])).stdout).not.toContain('plimsoll');
    expect((await procFilesIn(host).read('/proc/sys/net/ipv4/conf/br0/route_localnet')).trim()).toBe('0');
  });
});
