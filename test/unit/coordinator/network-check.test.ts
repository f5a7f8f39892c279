import { beforeEach, describe, expect, test } from 'vitest';
import { checkHosts, checkWay } from '../../../coordinator/network-check.ts';
import type { CheckFinding } from '../../../model/network-check.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { PlanWorld } from '../../support/plan-world.ts';

const far = derivedId('node', 'far');

const finding = (step: CheckFinding['step'], ok = true): CheckFinding => ({ step, ok, says: step });

describe('a look at the way between two tasks', () => {
  let world: PlanWorld;
  let asked: string[];
  let answers: Record<string, unknown>;

  beforeEach(() => {
    world = new PlanWorld();
    world.addNode('n1');
    world.addNode('n2');
    world.addService('web', 1);
    world.converge();
    asked = [];
    answers = {
      'check-path': { findings: [finding('name'), finding('reply')], peers: [far] },
      'check-host': { findings: [finding('route')] },
    };
  });

  const parts = () => ({
    snapshot: () => world.snapshot(),
    nameOf: (nodeId: string) => (nodeId === far ? 'far' : 'near'),
    bus: {
      askNode: async <T>(nodeId: string, verb: string, message: unknown, reply: { parse(value: unknown): T }) => {
        asked.push(`${verb} ${nodeId === far ? 'far' : 'near'} ${JSON.stringify(message)}`);
        const answer = answers[verb];
        if (answer instanceof Error) throw answer;
        return reply.parse(answer);
      },
    },
  });

  test('asks both ends, and tells what they find in the order packets meet it', async () => {
    const { ok, findings } = await checkWay(parts(), 'web.1', 'api:8080');
    expect(ok).toBe(true);
    expect(findings.map(({ step, node }) => `${step} ${node}`)).toEqual(['name near', 'route far', 'reply near']);
    expect(asked[0]).toMatch(/check-path near .*"host":"api","port":8080/);
  });

  test('one thing that is broken breaks the whole; an agent that does not answer is such a thing', async () => {
    answers['check-host'] = new PlimsollError('timeout', 'no answer');
    const { ok, findings } = await checkWay(parts(), 'web', 'api');
    expect(ok).toBe(false);
    expect(findings.filter((each) => !each.ok)).toMatchObject([{ step: 'task', node: 'far' }]);
  });

  test('without a way every host is asked', async () => {
    expect((await checkHosts(parts())).findings).toHaveLength(2);
    expect(asked.every((each) => each.startsWith('check-host near {}'))).toBe(true);
  });

  test.each([
    ['web.7', 'api:80', 'not-found'],
    ['web.1', 'api:0', 'invalid'],
    ['web.1', 'http://api', 'invalid'],
    ['web.1', ':80', 'invalid'],
  ])('from %s to %s is %s', async (from, to, code) => {
    await expect(checkWay(parts(), from, to)).rejects.toMatchObject({ code });
    expect(asked).toEqual([]);
  });
});
