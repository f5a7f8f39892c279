/** A node tries to leave its permissions; joining hosts do too. */
import { connect, errors, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectedBus } from '../../../bus/connect-bus.ts';
import { createUserKeys, issueJoinJwt, publicKeyOf } from '../../../bus/identity/keys.ts';
import type { NodeIdentity } from '../../../bus/identity/user-identity.ts';
import { eventually } from '../../support/eventually.ts';
import { TestNats } from '../../support/nats-server.ts';
import { aClaim } from '../../support/records.ts';

let nats: TestNats;
let coordinator: ConnectedBus;
let own: NodeIdentity;
let other: NodeIdentity;

beforeAll(async () => {
  nats = await TestNats.start();
  coordinator = await nats.coordinator();
  own = await nats.node();
  other = await nats.node();
});
afterAll(() => nats.stop());

/** A connection that says what the server refused it. */
class Intruder {
  readonly refused: string[] = [];
  readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async enter(name: string, jwt: string, seed: string): Promise<Intruder> {
    const authenticator = jwtAuthenticator(jwt, new TextEncoder().encode(seed));
    const servers = own.natsUrls;
    const intruder = new Intruder(await connect({ servers, authenticator, inboxPrefix: `_INBOX.${name}` }));
    void intruder.listen();
    return intruder;
  }

  private async listen(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof errors.PermissionViolationError)) continue;
      this.refused.push(`${status.error.operation} ${status.error.subject}`);
    }
  }

  /** Tries, and answers what the server refused since the last time. */
  async try(operation: 'publish' | 'subscription', subject: string): Promise<string[]> {
    if (operation === 'publish') this.connection.publish(subject, '{}');
    else this.connection.subscribe(subject, { callback: () => {} });
    await this.connection.flush();
    await eventually(() => this.refused.length > 0, { what: `${operation} ${subject} refused` });
    return this.refused.splice(0);
  }
}

describe('a node', () => {
  let node: Intruder;
  beforeAll(async () => {
    node = await Intruder.enter(own.nodeId, own.jwt, own.seed);
  });
  afterAll(() => node.connection.close());
  beforeEach(() => {
    node.refused.length = 0;
  });

  const stranger = () => other.nodeId;

  test.each([
    ['another node’s beat', () => `plim.beat.${stranger()}`],
    ['another node’s usage', () => `plim.usage.${stranger()}`],
    ['a request to another node', () => `plim.rpc.${stranger()}.logs`],
    ['a request to itself', () => `plim.rpc.${own.nodeId}.logs`],
    ['whether another node lives', () => `plim.rpc.${stranger()}.instance`],
    ['another node’s answer', () => `plim.reply.${stranger()}.1`],
    ['another node’s inbox', () => `_INBOX.${stranger()}.1`],
    ['a session with another node’s engine', () => `plim.rpc.${stranger()}.engine`],
    ['a session with its own engine', () => `plim.rpc.${own.nodeId}.engine`],
    ['input into another’s session', () => `plim.rpc.${stranger()}._stream.1`],
    ['another node’s wish for an image', () => `plim.ask.${stranger()}.image`],
    ['another node’s wish for secrets', () => `plim.payloads.${stranger()}`],
    ['wishes for secrets of all nodes', () => 'plim.payloads.*'],
    ['what is remembered of a service', () => 'plim.past.decision.x'],
    ['another node’s acknowledgement', () => `plim.ack.${own.nodeId}.${stranger()}`],
    ['a leader’s ping', () => 'plim.leader.ping'],
    ['another node’s contact with the leader', () => `plim.contact.${stranger()}`],
    ['a join', () => 'plim.join'],
    ['a coordinator’s beat', () => 'plim.coordinator.beat'],
    ['a wish for the join token', () => 'plim.coordinator.keys.token'],
    ['a wish for another join token', () => 'plim.coordinator.keys.rotate'],
    ['a wish to put a node out', () => 'plim.coordinator.keys.revoke'],
    ['another node’s event', () => `plim.event.container.${stranger()}`],
    ['a service’s event', () => 'plim.event.service.x'],
    ['another node’s record', () => `$KV.plim_node.${stranger()}`],
    ['another node’s status', () => `$KV.plim_status.${stranger()}.task`],
    ['another node’s endpoints', () => `$KV.plim_endpoint.net.${stranger()}`],
    ['another node’s ports in the mesh', () => `$KV.plim_mesh.${stranger()}`],
    ['a specification', () => '$KV.plim_spec.service.x'],
    ['its own wish record', () => `$KV.plim_spec.node.${own.nodeId}`],
    ['a name', () => '$KV.plim_name.service.x'],
    ['an assignment of its own', () => `$KV.plim_task.${own.nodeId}.task`],
    ['the lease', () => '$KV.plim_lease.leader'],
    ['a slot', () => '$KV.plim_slot.service.1'],
    ['a guarded write', () => 'plim.write.guess.plim_spec.service.x'],
    ['all tasks, watched', () => '$JS.API.CONSUMER.CREATE.KV_plim_task.c.$KV.plim_task.>'],
    ['another’s tasks, watched', () => `$JS.API.CONSUMER.CREATE.KV_plim_task.c.$KV.plim_task.${stranger()}.>`],
    ['all specifications, watched', () => '$JS.API.CONSUMER.CREATE.KV_plim_spec.c.$KV.plim_spec.>'],
    ['another’s status, watched', () => `$JS.API.CONSUMER.CREATE.KV_plim_status.c.$KV.plim_status.${stranger()}.>`],
    ['secrets of events, watched', () => '$JS.API.CONSUMER.CREATE.plim_events.c.plim.event.>'],
    ['what is remembered, watched', () => '$JS.API.CONSUMER.CREATE.plim_past.c.plim.past.>'],
    ['a watch without a filter', () => '$JS.API.CONSUMER.CREATE.KV_plim_task.c'],
    ['a watch by the old interface', () => '$JS.API.CONSUMER.CREATE.KV_plim_task'],
    ['a durable watch', () => '$JS.API.CONSUMER.DURABLE.CREATE.KV_plim_task.c'],
    ['a consumer’s state', () => '$JS.API.CONSUMER.INFO.KV_plim_task.c'],
    ['a consumer’s end', () => '$JS.API.CONSUMER.DELETE.KV_plim_task.c'],
    ['a pull', () => '$JS.API.CONSUMER.MSG.NEXT.KV_plim_task.c'],
    ['any task, read', () => '$JS.API.DIRECT.GET.KV_plim_task'],
    ['another’s task, read', () => `$JS.API.DIRECT.GET.KV_plim_task.$KV.plim_task.${stranger()}.t`],
    ['its own status, read', () => `$JS.API.DIRECT.GET.KV_plim_status.$KV.plim_status.${own.nodeId}.t`],
    ['a message by number', () => '$JS.API.STREAM.MSG.GET.KV_plim_spec'],
    ['a stream’s state', () => '$JS.API.STREAM.INFO.KV_plim_task'],
    ['the list of streams', () => '$JS.API.STREAM.LIST'],
    ['a new stream', () => '$JS.API.STREAM.CREATE.mine'],
    ['a changed stream', () => '$JS.API.STREAM.UPDATE.KV_plim_task'],
    ['a purge', () => '$JS.API.STREAM.PURGE.KV_plim_status'],
    ['a deleted stream', () => '$JS.API.STREAM.DELETE.KV_plim_status'],
    ['a deleted message', () => '$JS.API.STREAM.MSG.DELETE.KV_plim_status'],
    ['a copy of a stream', () => '$JS.API.STREAM.SNAPSHOT.KV_plim_spec'],
    ['the account', () => '$JS.API.INFO'],
    ['the server', () => '$SYS.REQ.SERVER.PING'],
  ])('may not publish: %s', async (_what, subject) => {
    expect(await node.try('publish', subject())).toEqual([`publish ${subject()}`]);
  });

  test.each([
    ['everything', () => '>'],
    ['all of Plimsoll', () => 'plim.>'],
    ['all beats', () => 'plim.beat.*'],
    ['what all nodes use', () => 'plim.usage.*'],
    ['another node’s requests', () => `plim.rpc.${stranger()}.>`],
    ['what other nodes ask for', () => 'plim.ask.*.image'],
    ['the secrets all nodes wish for', () => 'plim.payloads.*'],
    ['the secrets another node wishes for', () => `plim.payloads.${stranger()}`],
    ['decisions as they are remembered', () => 'plim.past.>'],
    ['all requests', () => 'plim.rpc.>'],
    ['all answers', () => 'plim.reply.>'],
    ['another node’s answers', () => `plim.reply.${stranger()}.>`],
    ['what others acknowledge to another node', () => `plim.ack.${stranger()}.*`],
    ['another’s inbox', () => `_INBOX.${stranger()}.>`],
    ['all inboxes', () => '_INBOX.>'],
    ['joins', () => 'plim.join'],
    ['leader’s pings', () => 'plim.leader.ping'],
    ['what nodes ask their leader', () => 'plim.contact.*'],
    ['what coordinators ask each other', () => 'plim.coordinator.>'],
    ['writes with their secret', () => 'plim.write.>'],
    ['writes to a bucket', () => '$KV.plim_status.>'],
    ['JetStream’s interface', () => '$JS.API.>'],
  ])('may not subscribe to %s', async (_what, subject) => {
    expect(await node.try('subscription', subject())).toEqual([`subscription ${subject()}`]);
  });

  test('a filter in the request that differs from the one in the subject is refused', async () => {
    const filter = `$KV.plim_task.${own.nodeId}.>`;
    const config = { name: 'c', filter_subject: '$KV.plim_task.>', deliver_subject: `_INBOX.${own.nodeId}.x` };
    const request = { stream_name: 'KV_plim_task', config, action: 'create' };

    const reply = await node.connection.request(
      `$JS.API.CONSUMER.CREATE.KV_plim_task.c.${filter}`,
      JSON.stringify(request),
    );

    expect(reply.json()).toHaveProperty('error');
  });

  test('does what it must: writes its status, watches its tasks, reads its wishes and the lease', async () => {
    const { buckets, bus } = await nats.connect(own);
    const tasks = await buckets.tasks.watch(`${own.nodeId}.>`);
    const networkId = aClaim('n').ownerId;
    await buckets.endpoints.put(`${networkId}.${own.nodeId}`, {
      v: 1,
      nodeId: own.nodeId,
      networkId,
      endpoints: [],
      members: [],
    });

    const views = await Promise.all([
      buckets.leases.watch('leader'),
      buckets.nodeSpecs.watch(own.nodeId),
      buckets.statuses.watch(`${own.nodeId}.>`),
      buckets.endpoints.watch(`${networkId}.*`),
    ]);

    expect(tasks.current).toBe(true);
    expect(views.map((view) => view.entries.size)).toEqual([0, 0, 0, 1]);
    expect(await buckets.leases.get('leader')).toBeUndefined();
    expect(await buckets.nodeSpecs.get(own.nodeId)).toBeUndefined();
    expect(await buckets.nodes.get(own.nodeId)).toBeUndefined();
    expect((await buckets.endpoints.get(`${networkId}.${own.nodeId}`))?.value.nodeId).toBe(own.nodeId);
    await tasks.close();
    await bus.close();
  });

  test('cannot have the server write over a record by naming it as the reply subject', async () => {
    const revision = await coordinator.buckets.claims.create('service.victim', aClaim('victim'));
    const task = `$KV.plim_task.${own.nodeId}.t`;
    for (const subject of ['$KV.plim_name.service.victim', '$KV.plim_spec.node.x', '$KV.plim_lease.leader']) {
      node.connection.publish(`$KV.plim_status.${own.nodeId}.t`, '{}', { reply: subject });
      node.connection.publish(`$JS.API.DIRECT.GET.KV_plim_task.${task}`, '', { reply: subject });
      node.connection.publish(`$JS.API.CONSUMER.CREATE.KV_plim_task.c.${task}`, '{}', { reply: subject });
    }
    await node.connection.flush();
    const view = await coordinator.buckets.claims.watch();

    expect(view.entries.get('service.victim')?.revision).toBe(revision);
    expect(view.quarantined.size).toBe(0);
    expect(await coordinator.buckets.leases.get('leader')).toBeUndefined();
    await view.close();
  });

  test('cannot have the server deliver its own text to another node’s rpc or to a bucket', async () => {
    const heard: unknown[] = [];
    const neighbour = await nats.connect(other);
    const { z } = await import('zod');
    neighbour.bus.answer(other.nodeId, 'stop', z.unknown(), async (message) => {
      heard.push(message);
    });
    neighbour.bus.answerStream(other.nodeId, 'exec', z.unknown(), async function* (message) {
      heard.push(message);
      yield new Uint8Array(0);
    });
    // The server may hear the question before it has heard of who answers.
    const isThere = async () => {
      await coordinator.bus.askNode(other.nodeId, 'stop', 'ready?', z.unknown(), 2_000);
      return true;
    };
    await eventually(isThere, { what: 'the neighbour to answer' });
    await node.connection.request(`$KV.plim_endpoint.net.${own.nodeId}`, '{"streamId":"x","message":"evil"}');
    const filter = '$KV.plim_endpoint.net.>';
    const rpcs = [`plim.rpc.${other.nodeId}.stop`, `plim.rpc.${other.nodeId}.exec`];
    const targets = [...rpcs, `$KV.plim_status.${other.nodeId}.t`];
    for (const [index, deliver_subject] of targets.entries()) {
      const name = `evil${index}`;
      const config = { name, deliver_policy: 'all', ack_policy: 'none', filter_subject: filter, deliver_subject };
      await node.connection.request(
        `$JS.API.CONSUMER.CREATE.KV_plim_endpoint.${name}.${filter}`,
        JSON.stringify({ stream_name: 'KV_plim_endpoint', config, action: 'create' }),
      );
    }
    for (const reply of rpcs) node.connection.publish(`$KV.plim_status.${own.nodeId}.t`, '{}', { reply });
    await node.connection.flush();
    await coordinator.bus.askNode(other.nodeId, 'stop', 'still there?', z.unknown(), 2_000);

    expect(heard).toEqual(['ready?', 'still there?']);
    const statuses = await coordinator.buckets.statuses.watch(`${other.nodeId}.>`);
    expect([statuses.entries.size, statuses.quarantined.size]).toEqual([0, 0]);
    await statuses.close();
    await neighbour.bus.close();
  });
});

describe('a joining host', () => {
  let host: Intruder;
  let publicKey: string;
  beforeAll(async () => {
    const keys = createUserKeys();
    publicKey = keys.publicKey;
    const { keys: clusterKeys } = nats.cluster;
    const jwt = await issueJoinJwt(publicKeyOf(clusterKeys.accountSeed), clusterKeys.joinSigningSeed, keys.publicKey);
    host = await Intruder.enter(publicKey, jwt, keys.seed);
  });
  afterAll(() => host.connection.close());

  test.each([
    '$JS.API.INFO',
    '$KV.plim_spec.service.x',
    'plim.beat.x',
    'plim.rpc.x.stop',
    'plim.leader.ping',
    'plim.coordinator.keys.revoke',
  ])('may not publish %s', async (subject) => {
    expect(await host.try('publish', subject)).toEqual([`publish ${subject}`]);
  });
  test.each(['>', 'plim.join', '_INBOX.>', '_INBOX.other.>', 'plim.beat.*', '$KV.>'])(
    'may not subscribe to %s',
    async (subject) => {
      expect(await host.try('subscription', subject)).toEqual([`subscription ${subject}`]);
    },
  );
});
