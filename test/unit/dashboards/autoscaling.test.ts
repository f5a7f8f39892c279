import { expect, it } from 'vitest';
import { autoscaling } from '../../../dashboards/boards/autoscaling.ts';
import { scaleConditions } from '../../../model/scale-record.ts';

it('has a word, and a number of its own in the query, for every condition a service may be in', () => {
  const panels = autoscaling.rows.flatMap((row) => row.panels).filter((panel) => panel.kind === 'states');
  expect(panels.length).toBe(1);
  for (const { queries, states } of panels) {
    const asked = [...(queries[0]?.expr ?? '').matchAll(/(\d+) \* \(max .*?condition="([\w-]+)"/g)];
    expect(asked.map(([, , condition]) => condition).toSorted()).toEqual([...scaleConditions].toSorted());
    expect(asked.map(([, number]) => Number(number))).toEqual(states.map(({ value }) => value));
    expect(new Set(states.map(({ value }) => value)).size).toBe(states.length);
  }
});
