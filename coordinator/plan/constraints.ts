/** Swarm's constraint grammar (swarmkit manager/constraint): `key == value` or `key != value`, all of them must hold. */
import type { NodeRecord, NodeSpecRecord } from '../../model/node-record.ts';
import { isWithin, parseRange } from './ip-address.ts';

export interface Constraint {
  readonly key: string;
  readonly operator: '==' | '!=';
  readonly value: string;
  /** As the user wrote it. */
  readonly text: string;
}

/** The parts of a node constraints look at; either record may be missing. */
export interface ConstrainedNode {
  readonly id: string;
  readonly spec: NodeSpecRecord | undefined;
  readonly record: NodeRecord | undefined;
}

const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;

/** The parsed constraint, or the sentence that says what is wrong with it (the words of swarmkit). Pure. */
export function parseConstraint(text: string): Constraint | string {
  const operator = text.includes('==') ? '==' : '!=';
  const at = text.indexOf(operator);
  if (at < 0) return `constraint expected one operator from ==, !=`;
  const key = text.slice(0, at).trim();
  const value = text.slice(at + 2).trim();
  if (key === '') return `key '${key}' is invalid`;
  if (!KEY.test(key)) return `key '${key}' is invalid`;
  if (!VALUE.test(value)) return `value '${value}' is invalid`;
  return { key, operator, value, text };
}

/** Does the node meet the constraint? An unknown key meets nothing; a missing label equals the empty text. */
export function meets(node: ConstrainedNode, constraint: Constraint): boolean {
  const key = constraint.key.toLowerCase();
  if (key === 'node.ip') return matchesAddress(node.record?.address, constraint);
  const actual = factOf(node, key, constraint.key);
  if (actual === undefined) return false;
  const wanted = key === 'node.platform.arch' ? normalArchitecture(constraint.value) : constraint.value;
  const same = actual.toLowerCase() === wanted.toLowerCase();
  return constraint.operator === '==' ? same : !same;
}

/** Keys are case-insensitive but for the label's own name. */
function factOf(node: ConstrainedNode, key: string, keyAsWritten: string): string | undefined {
  if (key.startsWith('node.labels.')) return node.spec?.labels[keyAsWritten.slice('node.labels.'.length)] ?? '';
  if (key.startsWith('engine.labels.')) {
    return node.record?.engine.labels[keyAsWritten.slice('engine.labels.'.length)] ?? '';
  }
  switch (key) {
    case 'node.id':
      return node.id;
    case 'node.hostname':
      return node.record?.hostname ?? '';
    case 'node.role':
      return node.spec?.role ?? 'worker';
    case 'node.platform.os':
      return node.record?.engine.os ?? '';
    case 'node.platform.arch':
      return normalArchitecture(node.record?.engine.architecture ?? '');
    default:
      return undefined;
  }
}

/** Engines say x86_64, images and users say amd64. */
export function normalArchitecture(name: string): string {
  const lower = name.toLowerCase();
  if (lower === 'amd64') return 'x86_64';
  if (lower === 'arm64') return 'aarch64';
  return lower;
}

/** What is no address is met by no node, whatever the operator, as in Swarm. */
function matchesAddress(address: string | undefined, { value, operator }: Constraint): boolean {
  const range = parseRange(value);
  if (!range) return false;
  const isInside = address !== undefined && isWithin(address, range);
  return operator === '==' ? isInside : !isInside;
}
