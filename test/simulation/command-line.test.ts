import { expect, test } from 'vitest';
import { commandOf } from './command-line.ts';

const size = { minutes: 10, nodes: 5, services: 20 };

test('commandOf() understands seeds, one seed and a stored history', () => {
  expect(commandOf([])).toEqual({ kind: 'seeds', from: 1, count: 300, size });
  expect(commandOf(['--seeds', '20', '--from', '41', '--nodes', '3'])).toEqual({
    kind: 'seeds',
    from: 41,
    count: 20,
    size: { ...size, nodes: 3 },
  });
  expect(commandOf(['--seed', '6', '--trace'])).toEqual({ kind: 'seed', seed: 6, traced: true, size });
  expect(commandOf(['--replay', 'a.json'])).toEqual({ kind: 'replay', path: 'a.json', traced: false });
  expect(commandOf(['--help'])).toEqual({ kind: 'help' });
});

test.each([
  [['--seeds', 'many'], '--seeds cannot be "many"'],
  [['--seeds', '0'], '--seeds cannot be "0"'],
  [['--seeds', ''], '--seeds cannot be ""'],
  [['--from', '-1'], '--from'],
  [['--minutes', '1.5'], '--minutes cannot be "1.5"'],
  [['--nodes', '1e9'], '--nodes cannot be "1e9"'],
  [['--sedes', '5'], '--sedes'],
  [['--seed', '1', '--replay', 'a.json'], 'exclude each other'],
  [['--trace'], '--trace needs --seed or --replay'],
])('commandOf() refuses %j by name', (words, sentence) => {
  expect(() => commandOf(words)).toThrow(sentence);
});
