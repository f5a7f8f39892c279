/** Which node a name or an id means. Pure. */
import { PlimsollError } from '../../../runtime/errors.ts';
import type { NamedNode } from '../../node-pages.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** By full id, else by name. Throws `not-found`, or `invalid` for a name that several nodes have. */
export function nodeByReference(snapshot: Snapshot, reference: string): NamedNode {
  const nodes = [...snapshot.nodeSpecs.keys()].map((id) => ({ id, name: nodeName(snapshot, id) }));
  const byId = nodes.find(({ id }) => id === reference);
  if (byId) return byId;
  const [only, second] = nodes.filter(({ name }) => name === reference);
  if (second) throw new PlimsollError('invalid', `Several nodes are called "${reference}": give the id of one`);
  if (!only) throw new PlimsollError('not-found', `No node is called "${reference}"`);
  return only;
}
