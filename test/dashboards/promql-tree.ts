/** PromQL taken apart by Prometheus' own grammar. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface SelectorUse {
  /** Empty for `{__name__=~"..."}`. */
  readonly metric: string;
  /** As written, between the braces. */
  readonly matchers: string;
  /** `1h` of `x[1h]`. */
  readonly range: string | undefined;
  /** Names of the functions and aggregations around it, the innermost first. */
  readonly within: readonly string[];
}

/** Grafana's own variables as durations, others as a word: what a parser can read. */
export function withoutVariables(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__range', '1h')
    .replace(/\$\{?\w+\}?/g, 'VAR');
}

/** Where the expression is wrong, each with the text from there on; nothing when it is well-formed. */
export function syntaxErrors(expr: string): string[] {
  const errors: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from }) => {
      if (type.isError) errors.push(`at ${from}: ${expr.slice(from, from + 40)}`);
    },
  });
  return errors;
}

export function selectorUses(expr: string): SelectorUse[] {
  const uses: SelectorUse[] = [];
  parser.parse(expr).iterate({
    enter: ({ node }) => {
      if (node.name === 'VectorSelector') uses.push(selectorUse(node, expr));
    },
  });
  return uses;
}

function selectorUse(node: SyntaxNode, expr: string): SelectorUse {
  const [, metric = '', matchers = ''] = /^([\w:]*)\s*(?:\{(.*)\})?/s.exec(textOf(node, expr)) ?? [];
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : undefined;
  const range = matrix && /\[([^\]]*)\]$/.exec(textOf(matrix, expr))?.[1];
  return { metric, matchers, range, within: namesAround(node, expr) };
}

function namesAround(node: SyntaxNode, expr: string): string[] {
  const names: string[] = [];
  for (let outer = node.parent; outer; outer = outer.parent) {
    if (outer.name !== 'FunctionCall' && outer.name !== 'AggregateExpr') continue;
    names.push(/^\w+/.exec(textOf(outer, expr))?.[0] ?? '');
  }
  return names;
}

/** The labels series have after the outermost aggregation; undefined where all may be left. */
export function labelsLeft(expr: string): ReadonlySet<string> | undefined {
  const top = parser.parse(expr).topNode.firstChild;
  return top ? labelsOf(top, expr) : undefined;
}

function labelsOf(node: SyntaxNode, expr: string): ReadonlySet<string> | undefined {
  switch (node.name) {
    case 'AggregateExpr':
      return labelsOfAggregate(node, expr);
    case 'FunctionCall':
      return labelsOfCall(node, expr);
    case 'BinaryExpr':
      return labelsOfBinary(node, expr);
    case 'ParenExpr':
      return node.firstChild ? labelsOf(node.firstChild, expr) : undefined;
    default:
      return undefined;
  }
}

function labelsOfAggregate(node: SyntaxNode, expr: string): ReadonlySet<string> | undefined {
  const [, operation = '', modifier, list = ''] =
    /^(\w+)\s*(?:(by|without)\s*\(([^)]*)\))?/.exec(textOf(node, expr)) ?? [];
  if (/^(topk|bottomk)$/.test(operation)) return labelsOf(lastArgument(node), expr);
  if (modifier === 'without') return undefined;
  return new Set(listed(list));
}

/** Functions keep labels, but for the buckets' own and those that label_replace adds. */
function labelsOfCall(node: SyntaxNode, expr: string): ReadonlySet<string> | undefined {
  const text = textOf(node, expr);
  const isLabelReplace = text.startsWith('label_replace');
  const inner = labelsOf(isLabelReplace ? (argumentsOf(node)[0] ?? node) : lastArgument(node), expr);
  if (inner === undefined) return undefined;
  const added = isLabelReplace ? [/^label_replace\(.*?,\s*"(\w+)"/s.exec(text)?.[1] ?? ''] : [];
  return new Set([...inner, ...added].filter((label) => label !== 'le'));
}

/** Those of the side that has series. */
function labelsOfBinary(node: SyntaxNode, expr: string): ReadonlySet<string> | undefined {
  const left = node.firstChild;
  const right = node.lastChild;
  if (!left || !right) return undefined;
  const groupLeft = /group_left\s*\(([^)]*)\)/.exec(expr.slice(left.to, right.from))?.[1] ?? '';
  const side = isScalar(left, expr) ? right : left;
  const labels = labelsOf(side, expr);
  return labels && new Set([...labels, ...listed(groupLeft)]);
}

function listed(labels: string): string[] {
  return labels.split(',').flatMap((label) => (label.trim() === '' ? [] : [label.trim()]));
}

function isScalar(node: SyntaxNode, expr: string): boolean {
  return /^[\d.]+$|^time\(\)$/.test(textOf(node, expr));
}

function argumentsOf(node: SyntaxNode): SyntaxNode[] {
  const body = node.getChild('FunctionCallBody');
  const children: SyntaxNode[] = [];
  for (let child = body?.firstChild ?? null; child; child = child.nextSibling) {
    if (!['(', ')', ','].includes(child.name)) children.push(child);
  }
  return children;
}

function lastArgument(node: SyntaxNode): SyntaxNode {
  return argumentsOf(node).at(-1) ?? node;
}

function textOf({ from, to }: SyntaxNode, expr: string): string {
  return expr.slice(from, to);
}
