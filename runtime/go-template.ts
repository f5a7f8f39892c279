/**
 * Expressions of Go templates (text/template), as far as Swarm's templates have use for them: fields, string literals,
 * calls, parentheses and pipes. Control structures (if, range, with, define, variables) are refused by name. Pure.
 */

/** A text, or a map of texts (labels). */
export type TemplateValue = string | Readonly<Record<string, string>>;
export type TemplateFunction = (...args: readonly TemplateValue[]) => TemplateValue;

export interface TemplateScope {
  /** The value of `.Service.Name`; throws what the user should know of a field that is not there. */
  readonly field: (path: string) => TemplateValue;
  readonly functions: Readonly<Record<string, TemplateFunction>>;
}

const DELIMITER_LENGTH = 2;

/** `text` with every `{{action}}` replaced. `onError` makes the error to throw of an action and what is wrong with it. */
export function expandActions(
  text: string,
  scope: TemplateScope,
  onError: (action: string, reason: string) => Error,
): string {
  let expanded = '';
  let at = 0;
  let trimsNext = false;
  // Found by hand: a regular expression takes minutes over a large file of blanks, or of braces nobody closes.
  for (;;) {
    const open = text.indexOf('{{', at);
    const close = open < 0 ? -1 : text.indexOf('}}', open + DELIMITER_LENGTH);
    if (close < 0) break;
    const expression = text.slice(open + DELIMITER_LENGTH, close);
    const before = trimmed(text.slice(at, open), { start: trimsNext, end: /^-\s/.test(expression) });
    at = close + DELIMITER_LENGTH;
    trimsNext = /\s-$/.test(expression);
    try {
      expanded += before + evaluate(expression.replace(/^-\s/, '').replace(/\s-$/, ''), scope);
    } catch (error) {
      throw onError(text.slice(open, at), error instanceof Error ? error.message : String(error));
    }
  }
  return expanded + trimmed(text.slice(at), { start: trimsNext, end: false });
}

function trimmed(text: string, { start, end }: { readonly start: boolean; readonly end: boolean }): string {
  const fromStart = start ? text.trimStart() : text;
  return end ? fromStart.trimEnd() : fromStart;
}

function evaluate(expression: string, scope: TemplateScope): string {
  if (/^\s*\/\*.*\*\/\s*$/s.test(expression)) return '';
  const tokens = tokensOf(expression);
  const value = new Expression(tokens, scope).pipeline();
  if (tokens.length > 0) throw new Error(`"${tokens[0]?.text ?? ''}" is not expected there`);
  return printed(value);
}

/** As Go prints it: a map in the order of its keys. */
export function printed(value: TemplateValue): string {
  if (typeof value === 'string') return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `map[${entries.map(([key, text]) => `${key}:${text}`).join(' ')}]`;
}

interface Token {
  readonly kind: 'text' | 'field' | 'name' | 'sign';
  readonly text: string;
}

const tokenPattern = /\s*(?:("(?:[^"\\]|\\.)*")|`([^`]*)`|(\.[\w.]*)|([A-Za-z_]\w*)|(\d+)|([()|]))/y;
const controlWords = ['if', 'else', 'end', 'range', 'with', 'define', 'template', 'block', 'break', 'continue'];

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(tokenPattern);
  const source = expression.trimEnd();
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(source);
    if (match === null) throw new Error(`"${source.slice(at).trim()}" is not understood`);
    tokens.push(tokenOf(match));
  }
  if (tokens.length === 0) throw new Error('it is empty');
  return tokens;
}

function tokenOf([, quoted, raw, field, name, number, sign]: RegExpExecArray): Token {
  if (quoted !== undefined) return { kind: 'text', text: String(JSON.parse(quoted)) };
  const literal = raw ?? number;
  if (literal !== undefined) return { kind: 'text', text: literal };
  if (field !== undefined) return { kind: 'field', text: field };
  if (name === undefined) return { kind: 'sign', text: sign ?? '' };
  if (controlWords.includes(name)) throw new Error(`control structures (${name}) are not supported`);
  return { kind: 'name', text: name };
}

/** Recursive descent over the tokens of one action; takes from the front what it has read. */
class Expression {
  private readonly tokens: Token[];
  private readonly scope: TemplateScope;

  constructor(tokens: Token[], scope: TemplateScope) {
    this.tokens = tokens;
    this.scope = scope;
  }

  /** `command | command`: what one answers is the last argument of the next. */
  pipeline(): TemplateValue {
    let value = this.command([]);
    while (this.takes('|')) value = this.command([value]);
    return value;
  }

  private command(piped: readonly TemplateValue[]): TemplateValue {
    const first = this.tokens[0];
    if (first?.kind === 'name') {
      this.tokens.shift();
      return this.call(first.text, [...this.operands(), ...piped]);
    }
    const value = this.operand();
    if (piped.length > 0 || this.atOperand()) throw new Error(`${first?.text ?? ''} is no function`);
    return value;
  }

  private call(name: string, args: readonly TemplateValue[]): TemplateValue {
    const known = this.scope.functions;
    const called = Object.hasOwn(known, name) ? known[name] : undefined;
    if (called === undefined) {
      throw new Error(`function "${name}" is not known; known: ${Object.keys(known).join(', ')}`);
    }
    return called(...args);
  }

  private operands(): TemplateValue[] {
    const values: TemplateValue[] = [];
    while (this.atOperand()) values.push(this.operand());
    return values;
  }

  private atOperand(): boolean {
    const next = this.tokens[0];
    return next !== undefined && (next.kind !== 'sign' || next.text === '(');
  }

  private operand(): TemplateValue {
    const token = this.tokens.shift();
    if (token?.kind === 'text') return token.text;
    if (token?.kind === 'field') return this.scope.field(token.text);
    if (token?.kind === 'name') return this.call(token.text, []);
    if (token?.text !== '(') throw new Error(`a value is missing before "${token?.text ?? 'the end'}"`);
    const value = this.pipeline();
    if (!this.takes(')')) throw new Error('")" is missing');
    return value;
  }

  private takes(sign: string): boolean {
    if (this.tokens[0]?.kind !== 'sign' || this.tokens[0].text !== sign) return false;
    this.tokens.shift();
    return true;
  }
}
