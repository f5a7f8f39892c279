/** Subjects of core NATS and how they are put together. Ids have no dots, so a node never matches another's subjects. */

export const subjects = {
  beat: (nodeId: string) => `plim.beat.${nodeId}`,
  beats: 'plim.beat.*',
  usage: (nodeId: string) => `plim.usage.${nodeId}`,
  usages: 'plim.usage.*',
  /** Requests to an agent. */
  rpc: (nodeId: string, verb: string) => `plim.rpc.${nodeId}.${verb}`,
  /** Credits and farewells of one byte stream, from the asker to the agent. */
  streamControl: (nodeId: string, streamId: string) => `plim.rpc.${nodeId}._stream.${streamId}`,
  /** Where an agent answers: the only place it may. */
  reply: (nodeId: string, requestId: string) => `plim.reply.${nodeId}.${requestId}`,
  event: (kind: string, id: string) => `plim.event.${kind}.${id}`,
  events: 'plim.event.>',
  /** What the leader decided about a service, with what it saw; kept for later questions. */
  pastDecisions: (serviceId: string) => `plim.past.decision.${serviceId}`,
  /** How attempts of a slot ended; kept for later questions. `*` for all slots of a service. */
  pastExits: (serviceId: string, slotKey: string) => `plim.past.exit.${serviceId}.${slotKey}`,
  pasts: 'plim.past.>',
  /** A node asks whichever coordinator answers for a stream of bytes. */
  nodeAsk: (nodeId: string, verb: string) => `plim.ask.${nodeId}.${verb}`,
  /** Credits and farewells of such a stream: among the node's own replies, where it may speak. */
  nodeStreamControl: (nodeId: string, streamId: string) => `plim.reply.${nodeId}._stream.${streamId}`,
  /** A node asks for contents its tasks refer to. */
  payloads: (nodeId: string) => `plim.payloads.${nodeId}`,
  /** A node asks whether the leader is there and hears it. */
  contact: (nodeId: string) => `plim.contact.${nodeId}`,
  /** A node tells another that it has applied what that one announced. */
  acknowledgement: (announcer: string, by: string) => `plim.ack.${announcer}.${by}`,
  /** All that are meant for a node; who sent one is the last word of its subject. */
  acknowledgements: (announcer: string) => `plim.ack.${announcer}.*`,
  join: 'plim.join',
  /** Each coordinator says that it is there. */
  coordinatorBeat: 'plim.coordinator.beat',
  /** What only the coordinator beside the NATS server can do: `token`, `rotate`, `revoke`. */
  clusterKeys: (verb: string) => `plim.coordinator.keys.${verb}`,
  leaderPing: 'plim.leader.ping',
} as const;

/** The word metrics label a subject with: its second token (`beat` of `plim.beat.<node>`). Pure. */
export function subjectKind(subject: string): string {
  return subject.split('.')[1] ?? subject;
}
