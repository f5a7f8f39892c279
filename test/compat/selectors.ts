/** The series selectors of a PromQL expression, found by its words: enough to tell whose series it asks for. Pure. */

export interface Selector {
  /** Empty for `{__name__=~"..."}`. */
  readonly metric: string;
  /** As written, without the range: `up{job="x"}`. */
  readonly text: string;
}

/** Words before a list of labels in parentheses. */
const labelListWords = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const otherWords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2', 'start', 'end']);

/** Strings, numbers with units, ranges and comments out of the way; then names, braces with what is in them, and the rest. */
const token =
  /\s+|#.*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^}"'])*\}|\d[\w.]*|[a-zA-Z_:][\w:]*|./gy;

export function selectorsOf(expression: string): Selector[] {
  const tokens = [...expression.matchAll(token)].map(([text]) => text).filter((text) => !/^(\s|#)/.test(text));
  const selectors: Selector[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const text = tokens[index] ?? '';
    const next = tokens[index + 1] ?? '';
    if (labelListWords.has(text.toLowerCase())) {
      if (next === '(') index = tokens.indexOf(')', index);
    } else if (text.startsWith('{')) selectors.push({ metric: '', text });
    else if (/^[a-zA-Z_:]/.test(text) && !otherWords.has(text.toLowerCase()) && !isCall(tokens, index)) {
      const labels = next.startsWith('{') ? next : '';
      if (labels !== '') index += 1;
      selectors.push({ metric: text, text: `${text}${labels}` });
    }
  }
  return selectors;
}

/** `rate(`, `sum(`, and `sum by (x) (`. */
function isCall(tokens: readonly string[], index: number): boolean {
  const next = (tokens[index + 1] ?? '').toLowerCase();
  return next === '(' || next === 'by' || next === 'without';
}
