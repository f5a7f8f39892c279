/** Placement constraints and preferences, checked when a service is submitted. Pure. */
import type { Placement } from '../../model/service-spec.ts';
import { parseConstraint } from '../plan/constraints.ts';
import { invalid } from './errors.ts';

const plainKeys = ['node.id', 'node.hostname', 'node.ip', 'node.role', 'node.platform.os', 'node.platform.arch'];
const labelPrefixes = ['node.labels.', 'engine.labels.'];

/** Throws `invalid`. Unlike Swarm, a key no node can ever have is refused at once instead of pending for ever. */
export function checkPlacement(placement: Placement | undefined): void {
  for (const text of placement?.Constraints ?? []) checkConstraint(text);
  for (const { Spread } of placement?.Preferences ?? []) {
    const descriptor = Spread?.SpreadDescriptor ?? '';
    if (isLabelKey(descriptor)) continue;
    throw invalid(
      `placement preference '${descriptor}' is invalid: spread over node.labels.<key> or engine.labels.<key>`,
    );
  }
}

function checkConstraint(text: string): void {
  const constraint = parseConstraint(text);
  if (typeof constraint === 'string') throw invalid(constraint);
  if (plainKeys.includes(constraint.key.toLowerCase()) || isLabelKey(constraint.key)) return;
  const known = [...plainKeys, 'node.labels.<key>', 'engine.labels.<key>'].join(', ');
  throw invalid(`constraint key '${constraint.key}' is unknown; known: ${known}`);
}

function isLabelKey(key: string): boolean {
  return labelPrefixes.some((prefix) => key.toLowerCase().startsWith(prefix) && key.length > prefix.length);
}
