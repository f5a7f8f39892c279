import { describe, expect, it } from 'vitest';
import { allBoards } from '../../../dashboards/all-boards.ts';
import type { Panel } from '../../../dashboards/board.ts';
import { dashboardFile } from '../../../dashboards/dashboard-files.ts';
import { graph, row, statesPanel } from '../../../dashboards/panels.ts';
import { GrafanaSchema } from '../../dashboards/grafana-schema.ts';

const schema = new GrafanaSchema();

it.each(allBoards)("$title is what Grafana's own schema allows", (board) => {
  expect(schema.complaints(JSON.parse(dashboardFile(board).content))).toEqual([]);
});

describe('a complaint is made of', () => {
  const timeline = statesPanel('States', 'of a service', { '{{x}}': 'x' }, [{ value: 0, word: 'on', color: 'green' }]);
  const contentOf = (panel: Panel) => {
    const board = { uid: 'some-board', title: 'Board', description: 'Of one panel.', variables: [], marks: [] };
    return dashboardFile({ ...board, rows: [row('Row', panel)] }).content;
  };

  it.each<[what: string, panel: Panel, from: string, to: string, complaint: RegExp]>([
    ['a field nobody knows', timeline, '"tags"', '"tagz"', /^dashboard: .*tag/s],
    [
      'an option of another kind',
      timeline,
      '"mergeValues": true',
      '"mergeValues": "yes"',
      /^States: options.*mergeValues/s,
    ],
    ['a line drawn in no known way', graph('G', 'a line', 's', { x: 'x' }), '"linear"', '"zigzag"', /^G: fieldConfig/],
    ['a query that is no text', timeline, '"expr": "x"', '"expr": 1', /^States: target 0.*expr/s],
  ])('%s', (_, panel, from, to, complaint) => {
    const content = contentOf(panel);
    expect(schema.complaints(JSON.parse(content))).toEqual([]);
    expect(content).toContain(from);
    expect(schema.complaints(JSON.parse(content.replace(from, to)))).toEqual([expect.stringMatching(complaint)]);
  });
});
