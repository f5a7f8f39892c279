import { describe, expect, it } from 'vitest';
import { expandTemplate, type TemplateWords } from '../../../runtime/task-template.ts';

const words: TemplateWords = {
  service: { id: 's1', name: 'web', labels: { tier: 'front', 'com.example/a': 'b' } },
  node: { id: 'n1', hostname: 'h1', os: 'linux', architecture: 'x86_64', labels: { zone: 'east', 'a.b': 'c' } },
  task: { id: 't1', name: 'web.2.t1', slot: '2' },
};

describe('expandTemplate()', () => {
  it.each([
    ['plain', 'plain'],
    ['{{.Service.Name}}-{{ .Task.Slot }}', 'web-2'],
    ['{{.Service.ID}} {{.Node.ID}} {{.Task.ID}} {{.Task.Name}}', 's1 n1 t1 web.2.t1'],
    ['{{.Node.Hostname}} {{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}', 'h1 linux/x86_64'],
    ['{{.Service.Labels.tier}} {{index .Service.Labels "com.example/a"}}', 'front b'],
    ['{{.Node.Labels.zone}} {{index .Node.Labels `a.b`}}', 'east c'],
    ['{{.Service.Labels}}', 'map[com.example/a:b tier:front]'],
    ['[{{index .Service.Labels "missing"}}]', '[]'],
    ['{{join "-" .Service.Name .Node.Hostname "x"}}', 'web-h1-x'],
    ['{{join "," (index .Node.Labels "zone") (print .Task.Slot "!")}}', 'east,2!'],
    ['{{.Service.Name | printf "%s-%v%%" "a"}}', 'a-web%'],
    ['a {{- .Task.Slot -}} b', 'a {{- .Task.Slot -}} b'.replace(' {{- .Task.Slot -}} ', '2')],
    ['a\n{{- .Task.Slot}} {{.Task.Slot -}}\n b', 'a2 2b'],
    ['{{.Task.Slot -}} {{- .Task.Slot}} ', '22 '],
    ['{{.Task.Slot}} {{', '2 {{'],
    ['{{/* a note */}}x', 'x'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"c"}}'],
  ])('%s', (text, expanded) => {
    expect(expandTemplate(text, words)).toBe(expanded);
  });

  it.each([
    ['{{.Nmae}}', '{{.Nmae}}: .Nmae is not known; known: .Service.ID'],
    ['{{.Service.Labels.nothere}}', 'there is no label "nothere" in .Service.Labels'],
    ['{{.Node.Labels.constructor}}', 'there is no label "constructor"'],
    ['{{secret "a"}}', 'function "secret" is not known; known: join'],
    ['{{if .Task.Slot}}x{{end}}', 'control structures (if) are not supported'],
    ['{{.Task.Slot .Task.ID}}', '.Task.Slot is no function'],
    ['{{(.Task.Slot}}', '")" is missing'],
    ['{{.Task.Slot)}}', '")" is not expected there'],
    ['{{}}', 'it is empty'],
    ['{{index "a" "b"}}', 'index wants labels'],
    ['{{printf "%d" "1"}}', 'printf knows %s and %v, not %d'],
    ['{{$x := 1}}', 'is not understood'],
  ])('refuses %s', (text, sentence) => {
    expect(() => expandTemplate(text, words)).toThrow(sentence);
  });

  it.each([' ', '{{', '{{- ', '{{.Task.Slot}}\n'])('takes 200,000 times "%s" in its stride', (part) => {
    expect(expandTemplate(part.repeat(200_000), words)).not.toBe('');
  });

  it('has further functions where they are given', () => {
    expect(expandTemplate('{{env "A"}}', words, { env: (...names) => JSON.stringify(names) })).toBe('["A"]');
  });
});
