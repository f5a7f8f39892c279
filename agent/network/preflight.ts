/** Can this host serve published ingress ports? Asked before the first table is loaded. */
import { PlimsollError } from '../../runtime/errors.ts';
import type { CommandRunner } from './command-runner.ts';
import { renderIngressTable } from './ingress-table.ts';
import { tableChange } from './nft-elements.ts';

/** A table that uses every kernel feature the real one uses; the addresses are from the documentation range. */
const sample = () =>
  renderIngressTable({
    endpoints: [
      {
        taskId: '',
        protocol: 'tcp',
        publishedPort: 80,
        address: '192.0.2.1',
        targetPort: 80,
        affinity: 'client-ip',
        masquerade: true,
      },
    ],
    leaving: [],
    bridges: [{ device: 'docker0', subnet: '192.0.2.0/24' }],
    loopbackDevices: ['docker0'],
    mesh: {
      nodeId: 'a',
      address: '192.0.2.128',
      peers: [{ nodeId: 'b', number: 1, address: '192.0.2.129', mac: '02:00:00:00:00:01', ports: [] }],
    },
  });

/** Throws `precondition`, saying what is missing and what to install, when this host cannot. Changes nothing. */
export async function checkIngressSupport(run: CommandRunner): Promise<void> {
  const missing: string[] = [];
  for (const program of ['nft', 'iptables']) {
    await run(program, ['--version']).catch(() => missing.push(program));
  }
  if (missing.length > 0) {
    throw new PlimsollError(
      'precondition',
      `Cannot serve published ports on this host: ${missing.join(' and ')} not found on the PATH. Install the packages nftables and iptables`,
    );
  }
  const trial = await run('nft', ['--check', '-f', '-'], `${tableChange(undefined, sample())}\n`);
  if (trial.exitCode === 0) return;
  throw new PlimsollError(
    'precondition',
    `Cannot serve published ports on this host: the kernel or this nft refuses our table: ${trial.stderr.trim()}. ` +
      'Wanted: Linux 5.6 with nf_tables, nft_nat, nft_fib_ipv4, nft_numgen, and nft 0.9.4 or newer, run as root',
  );
}
