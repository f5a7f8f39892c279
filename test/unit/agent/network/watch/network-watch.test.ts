import { beforeEach, describe, expect, test } from 'vitest';
import { agentMetrics } from '../../../../../agent/agent-metrics.ts';
import type { CommandRunner } from '../../../../../agent/network/command-runner.ts';
import { NetworkWatch } from '../../../../../agent/network/watch/network-watch.ts';
import { Usage } from '../../../../../model/messages.ts';
import type { NetRecord } from '../../../../../model/network-records.ts';
import { WARNINGS_AT_MOST } from '../../../../../model/network-warning.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { createMetrics } from '../../../../../runtime/metrics.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const network = { id: derivedId('network'), name: 'back', internal: false };
const nodeId = derivedId('node', 'own');
const peerId = derivedId('node', 'peer');

function rangeOf(owner: string, subnet: string, nodeAddress: string): NetRecord {
  const sizes = { tunnelMtuBytes: 1_450 };
  return { v: 1, epoch: 1, kind: 'subnet', network, nodeId: owner, nodeAddress, subnets: [subnet], ...sizes };
}

const both = [rangeOf(nodeId, '10.200.0.0/26', '192.0.2.1'), rangeOf(peerId, '10.200.1.0/26', '192.0.2.2')];

describe('NetworkWatch', () => {
  let nets: readonly NetRecord[];
  let asked: { from: string; to: string; bytes: number }[];
  let largestBytes: number;
  let canSend: boolean;
  let troubles: string[];
  let run: CommandRunner;
  let watch: NetworkWatch;
  let clock: FakeClock;
  let metrics: ReturnType<typeof agentMetrics>;
  let olderNodes: string[];
  let readRoutes: () => Promise<string>;

  beforeEach(() => {
    nets = both;
    asked = [];
    largestBytes = 9_000;
    canSend = true;
    troubles = [];
    clock = new FakeClock();
    metrics = agentMetrics(createMetrics('agent', '0'));
    olderNodes = [];
    readRoutes = async () => '';
    // A host with everything in its place, as far as it is asked.
    run = async (program, args) => ({
      exitCode: program === 'ip' && args.includes('link') ? 1 : 0,
      stdout: '',
      stderr: '',
    });
    watch = new NetworkWatch({
      run: (...command) => run(...command),
      files: { read: () => readRoutes() },
      probeTunnel: async (target) => {
        asked.push(target);
        return canSend ? target.bytes <= largestBytes : undefined;
      },
      troubles: () => troubles,
      view: () => ({ nodeId, nets, endpoints: [], tasks: [] }),
      isOlder: (node) => olderNodes.includes(node),
      clock,
      metrics,
      log: createLog('test', 'silent'),
    });
  });

  const kinds = () => watch.warnings.filter((each) => each.peerId !== undefined).map(({ kind }) => kind);

  test('asks the other node’s end from its own, small and as large as networks may send', async () => {
    await watch.look();

    expect(asked).toEqual([
      { from: '10.200.0.1', to: '10.200.1.1', bytes: 8 },
      { from: '10.200.0.1', to: '10.200.1.1', bytes: 1_422 },
    ]);
    expect(kinds()).toEqual([]);
  });

  test('warns the second time nothing comes through, until something does', async () => {
    largestBytes = 0;
    await watch.look();
    expect(kinds()).toEqual([]);
    await watch.look();
    expect(kinds()).toEqual(['blocked']);
    expect(watch.warnings.at(-1)).toMatchObject({ peerId, advice: expect.stringContaining('UDP 4789') });

    largestBytes = 9_000;
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test('takes an agent that is too old to answer for no blocked way', async () => {
    largestBytes = 0;
    olderNodes = [peerId];
    await watch.look();
    await watch.look();
    expect(kinds()).toEqual(['version']);
  });

  test('counts when it cannot look, and says so instead of what was long ago', async () => {
    largestBytes = 0;
    await watch.look();
    await watch.look();
    readRoutes = () => Promise.reject(new Error('no such file'));
    const ended = new AbortController();
    const watching = watch.watch(ended.signal);
    await clock.advance(60_000);
    expect(kinds()).toEqual(['blocked']);

    await clock.advance(60_000);
    expect(watch.warnings).toMatchObject([{ says: expect.stringContaining('no such file') }]);
    expect((await metrics.networkWatchFailures.get()).values[0]?.value).toBeGreaterThanOrEqual(2);

    readRoutes = async () => '';
    await clock.advance(60_000);
    expect(kinds()).toEqual(['blocked']);
    ended.abort();
    await watching;
  });

  test('tells large packets that get lost from nothing coming through', async () => {
    largestBytes = 1_000;
    await watch.look();
    await watch.look();

    expect(kinds()).toEqual(['mtu']);
    expect(watch.warnings.at(-1)?.says).toContain('packets of 1450 bytes do not');
  });

  test('lays at no other node’s door that this host itself cannot send', async () => {
    canSend = false;
    await watch.look();
    await watch.look();
    expect(kinds()).toEqual([]);
  });

  test('what is wrong on this host itself is said when it was so the time before', async () => {
    await watch.look();
    expect(watch.warnings).toEqual([]);
    await watch.look();
    expect(watch.warnings.map(({ says }) => says)).toContainEqual(expect.stringContaining('plimsoll-vx is missing'));
  });

  test('says that it cannot look where programs are missing', async () => {
    run = async () => {
      throw new Error('Cannot run nft: it is not on the PATH');
    };
    await watch.look();
    await watch.look();
    expect(watch.warnings[0]).toMatchObject({ says: expect.stringContaining('Cannot run nft') });
  });

  test('what is long to tell is cut, or coordinators would take none of the node’s usage', async () => {
    const ports = Array.from({ length: 500 }, (_, index) => 4_789 + index).join(', ');
    const ruleset = `table inet filter {\n  udp dport { ${ports} } drop\n}`;
    run = async (program) => ({
      exitCode: program === 'ip' ? 1 : 0,
      stdout: program === 'nft' ? ruleset : '',
      stderr: '',
    });
    troubles = ['x'.repeat(2_000)];
    await watch.look();
    await watch.look();

    expect(watch.warnings.map(({ says }) => says)).toContainEqual(expect.stringMatching(/^table inet filter.*…$/));
    const host = { nodeId, cpuTotalCores: 1, memoryBytes: 1, memoryTotalBytes: 1, load1: 0, tasks: [] };
    expect(Usage.parse({ ...host, networkWarnings: watch.warnings }).networkWarnings).toEqual(watch.warnings);
  });

  test('what only a newer agent knows to warn of costs a coordinator neither usage nor the other warnings', () => {
    const host = { nodeId, cpuTotalCores: 1, memoryBytes: 1, memoryTotalBytes: 1, load1: 0, tasks: [] };
    const readable = { kind: 'new', says: 's', advice: 'a' };
    const parsed = (networkWarnings: unknown) => Usage.parse({ ...host, networkWarnings }).networkWarnings;

    expect(parsed([{ kind: 'mtu', says: 1 }, readable, 'words'])).toEqual([readable]);
    expect(parsed(Array.from({ length: WARNINGS_AT_MOST + 1 }, () => readable))).toHaveLength(WARNINGS_AT_MOST);
    expect(parsed('words')).toBeUndefined();
  });

  test('a host without networks has nothing to say', async () => {
    await watch.look();
    await watch.look();
    nets = [];
    await watch.look();
    expect(watch.warnings).toEqual([]);
  });

  test('says what this node cannot serve, with or without networks', async () => {
    nets = [];
    troubles = ['Cannot serve published ports on this host: nft not found on the PATH'];
    await watch.look();
    expect(watch.warnings).toMatchObject([{ kind: 'kernel', says: troubles[0] }]);
  });
});
