/** The grammar of placement constraints and preferences, checked when a service is submitted. Pure. */
import type { Placement } from '../../model/service-spec.ts';
import { invalid } from './errors.ts';

const keyGrammar = /^[a-z_][a-z0-9\-_.]+$/i;
const valueGrammar = /^[a-z0-9:\-_\s.*()?+[\]\\^$|/]+$/i;
const plainKeys = ['node.id', 'node.hostname', 'node.ip', 'node.role', 'node.platform.os', 'node.platform.arch'];
const labelPrefixes = ['node.labels.', 'engine.labels.'];

/** Throws `invalid`; sentences are Swarm's where it has one. Unlike Swarm, a key no node can have is refused at once. */
export function checkPlacement(placement: Placement | undefined): void {
  for (const constraint of placement?.Constraints ?? []) checkConstraint(constraint);
  for (const { Spread } of placement?.Preferences ?? []) {
    const descriptor = Spread?.SpreadDescriptor ?? '';
    if (!isLabelKey(descriptor)) {
      throw invalid(
        `placement preference '${descriptor}' is invalid: spread over node.labels.<key> or engine.labels.<key>`,
      );
    }
  }
}

function checkConstraint(constraint: string): void {
  const parts = constraint.split(/==|!=/);
  const [key, value] = parts.map((part) => part.trim());
  if (parts.length < 2 || key === undefined || value === undefined) {
    throw invalid(`constraint expected one operator from ==, != in '${constraint}'`);
  }
  if (!keyGrammar.test(key)) throw invalid(`key '${key}' is invalid`);
  if (parts.length > 2 || !valueGrammar.test(value)) throw invalid(`value '${value}' is invalid`);
  if (!plainKeys.includes(key.toLowerCase()) && !isLabelKey(key)) {
    throw invalid(
      `constraint key '${key}' is unknown; known: ${[...plainKeys, 'node.labels.<key>', 'engine.labels.<key>'].join(', ')}`,
    );
  }
}

function isLabelKey(key: string): boolean {
  return labelPrefixes.some((prefix) => key.toLowerCase().startsWith(prefix) && key.length > prefix.length);
}
