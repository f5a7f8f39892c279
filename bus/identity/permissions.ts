/**
 * Who may say and hear what. A node is held to its own keys and subjects; what it may make the *server* publish for it
 * (deliveries of a watch, answers to requests) is part of that. test/integration/bus/permissions.test.ts tries to leave.
 */
import { subjects } from '../subjects.ts';

export interface UserPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** A key or pattern of a bucket. */
type Place = readonly [bucket: string, key: string];

/** The prefix of the reply subjects of a node's or a joining host's own connection. */
export function inboxPrefix(userName: string): string {
  return `_INBOX.${userName}`;
}

const watchRights = ([bucket, key]: Place) => [
  `$JS.API.CONSUMER.CREATE.KV_${bucket}.*.$KV.${bucket}.${key}`,
  `$JS.FC.KV_${bucket}.>`,
];
const readRight = ([bucket, key]: Place) => `$JS.API.DIRECT.GET.KV_${bucket}.$KV.${bucket}.${key}`;
const writeRight = ([bucket, key]: Place) => `$KV.${bucket}.${key}`;

/**
 * Pure. `nodeId` has no dots (ids never do), so no node's patterns match another's keys. What nodes write they may only
 * watch, not read: the server would send a node's own text to whatever subject that node names.
 */
export function nodePermissions(nodeId: string): UserPermissions {
  const written: Place[] = [
    ['plim_node', nodeId],
    ['plim_status', `${nodeId}.>`],
    ['plim_endpoint', `*.${nodeId}`],
    ['plim_mesh', nodeId],
  ];
  const readable: Place[] = [
    ['plim_task', `${nodeId}.>`],
    ['plim_spec', `node.${nodeId}`],
    ['plim_lease', 'leader'],
    // Addresses of the networks: no secret, and every node routes to every other.
    ['plim_net', '>'],
  ];
  const watched: Place[] = [
    ...readable,
    ['plim_node', nodeId],
    ['plim_status', `${nodeId}.>`],
    ['plim_endpoint', '>'],
    ['plim_mesh', '>'],
  ];
  return {
    publish: [
      subjects.beat(nodeId),
      subjects.usage(nodeId),
      subjects.payloads(nodeId),
      subjects.nodeAsk(nodeId, '*'),
      subjects.contact(nodeId),
      subjects.reply(nodeId, '>'),
      subjects.acknowledgement('*', nodeId),
      subjects.event('container', nodeId),
      // Before it registers, an agent asks whether another one lives under its identity.
      subjects.rpc(nodeId, 'instance'),
      ...written.map(writeRight),
      ...watched.flatMap(watchRights),
      ...readable.map(readRight),
    ],
    subscribe: [
      `${inboxPrefix(nodeId)}.>`,
      subjects.rpc(nodeId, '>'),
      subjects.reply(nodeId, '>'),
      subjects.acknowledgements(nodeId),
    ],
  };
}

/** Coordinators own the account; NATS's own account stays closed to them. */
export const coordinatorPermissions: UserPermissions = { publish: ['>'], subscribe: ['>'] };

/** The server puts the user's own public key in, so that joining hosts do not hear each other's answers. */
export const joinPermissions: UserPermissions = {
  publish: [subjects.join],
  subscribe: [`${inboxPrefix('{{subject()}}')}.>`],
};
