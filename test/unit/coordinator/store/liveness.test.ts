import { expect, test } from 'vitest';
import {
  assess,
  excuse,
  type NodeWatch,
  nodesToProbe,
  noteBeat,
  noteProbe,
  type ProbeOutcome,
  watchNode,
} from '../../../../coordinator/store/liveness.ts';
import type { Beat } from '../../../../model/messages.ts';

const beat = (change: Partial<Beat> = {}): Beat => ({
  nodeId: 'n',
  incarnation: 1,
  sequence: 1,
  mainLoopAgeMs: 5,
  engineResponsive: true,
  epoch: 1,
  ...change,
});

/** Some nodes, judged every 100 ms as the loop does; probes of silent nodes answer as told. */
class Scene {
  watches = new Map<string, NodeWatch>();
  outcome: ProbeOutcome = 'unreachable';
  mayDeclareLost = true;
  nowMs = 0;

  constructor(count: number) {
    for (let index = 1; index <= count; index += 1) this.watches.set(`n${index}`, watchNode(0));
    this.beat(...this.watches.keys());
  }

  beat(...ids: string[]): void {
    for (const id of ids) this.update(id, (watch) => noteBeat(watch, beat(), this.nowMs));
    this.judge();
  }

  /** Time passes; the nodes in `beating` go on beating every half second. */
  pass(durationMs: number, beating: string[] = []): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; ) {
      this.nowMs += 100;
      if (this.nowMs % 500 === 0)
        for (const id of beating) this.update(id, (watch) => noteBeat(watch, beat(), this.nowMs));
      this.judge();
      for (const id of nodesToProbe(this.watches, this.nowMs)) {
        this.update(id, (watch) => noteProbe(watch, this.outcome, this.nowMs));
      }
    }
    this.judge();
  }

  state(id: string): string | undefined {
    return this.watches.get(id)?.state;
  }

  update(id: string, change: (watch: NodeWatch) => NodeWatch): void {
    const watch = this.watches.get(id);
    if (watch) this.watches.set(id, change(watch));
  }

  judge(): void {
    const { nowMs, mayDeclareLost } = this;
    this.watches = new Map(assess(this.watches, { nowMs, mayDeclareLost }));
  }
}

test('a node is unknown until its first beat, then ready', () => {
  const watches = new Map([['n', watchNode(0)]]);
  expect(assess(watches, { nowMs: 10, mayDeclareLost: true }).get('n')?.state).toBe('unknown');

  expect(new Scene(1).state('n1')).toBe('ready');
});

test('a silent node is suspect after a second and lost once two rounds of probes have failed', () => {
  const scene = new Scene(3);
  scene.pass(900, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('ready');

  scene.pass(100, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('suspect');
  scene.pass(300, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('lost');
  expect(scene.state('n1')).toBe('ready');
});

test('a cable that is out for a second loses no node: the second round of probes gets through', () => {
  const scene = new Scene(3);
  scene.pass(1_000, ['n1', 'n2']);
  scene.outcome = 'reachable';
  scene.pass(60_000, ['n1', 'n2']);

  expect(scene.state('n3')).toBe('suspect');
});

test('a node that a probe reaches stays suspect', () => {
  const scene = new Scene(3);
  scene.outcome = 'reachable';

  scene.pass(60_000, ['n1', 'n2']);

  expect(scene.state('n3')).toBe('suspect');
});

test('a host that refuses the connection gets time to start its agent again', () => {
  const scene = new Scene(3);
  scene.outcome = 'refused';
  scene.pass(9_900, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('suspect');

  scene.pass(200, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('lost');
  expect(scene.watches.get('n3')?.message).toBe('no beat for 10.0 s, its host refuses connections: the agent is away');
});

test('nobody is lost while the conditions forbid it', () => {
  const scene = new Scene(3);
  scene.mayDeclareLost = false;

  scene.pass(10_000, ['n1']);

  expect(scene.state('n3')).toBe('suspect');
});

test('a beat brings a lost node back', () => {
  const scene = new Scene(2);
  scene.pass(2_000, ['n1']);
  expect(scene.state('n2')).toBe('lost');

  scene.beat('n2');

  expect(scene.state('n2')).toBe('ready');
});

test('what the watch itself was late for is no silence of others', () => {
  const scene = new Scene(1);
  scene.nowMs = 6_000;

  scene.update('n1', (watch) => excuse(watch, 5_900, scene.nowMs));
  scene.judge();

  expect(scene.state('n1')).toBe('ready');
});

test('more than half of four nodes at once are waited for', () => {
  const scene = new Scene(4);
  scene.pass(9_500, ['n1']);
  expect(scene.state('n2')).toBe('suspect');

  scene.pass(1_000, ['n1']);
  expect(['n2', 'n3', 'n4'].map((id) => scene.state(id))).toEqual(['lost', 'lost', 'lost']);
});

test('a node lost twice in ten minutes gets twice the time', () => {
  const scene = new Scene(3);
  for (let time = 0; time < 2; time += 1) {
    scene.pass(3_000, ['n1', 'n2']);
    expect(scene.state('n3')).toBe('lost');
    scene.beat('n3');
  }

  scene.pass(1_500, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('ready');
  scene.pass(2_000, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('lost');
});

test('an engine that does not answer and a main loop that hangs are seen though beats arrive', () => {
  const scene = new Scene(2);
  scene.update('n1', (watch) => noteBeat(watch, beat({ engineResponsive: false }), 0));
  scene.update('n2', (watch) => noteBeat(watch, beat({ mainLoopAgeMs: 9_000 }), 0));

  scene.judge();

  expect(scene.state('n1')).toBe('engine-unresponsive');
  expect(scene.watches.get('n2')).toMatchObject({ state: 'suspect', message: 'its agent has hung for 9 s' });
});

test('a lost node returns by a beat, not because this process was late', () => {
  const scene = new Scene(3);
  scene.pass(3_000, ['n1', 'n2']);
  expect(scene.state('n3')).toBe('lost');

  scene.update('n3', (watch) => excuse(watch, Number.POSITIVE_INFINITY, scene.nowMs));
  scene.judge();
  expect(scene.state('n3')).toBe('lost');

  scene.beat('n3');
  expect(scene.state('n3')).toBe('ready');
});
