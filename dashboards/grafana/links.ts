/** From what a panel shows to the board that tells more of it: a service's name, a node's. */

export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** By label: which board is told which variable. */
const targets: Readonly<Record<string, { readonly title: string; readonly uid: string; readonly variable: string }>> = {
  service: { title: 'This service', uid: 'plimsoll-service', variable: 'service' },
  instance: { title: 'This node', uid: 'plimsoll-nodes', variable: 'instance' },
  node: { title: 'This node', uid: 'plimsoll-nodes', variable: 'instance' },
};

/** From the series of a graph, whose legends name labels. */
export function linksOfSeries(legends: readonly string[]): DataLink[] {
  const labels = legends.flatMap((legend) => [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label));
  return [...new Set(labels)].flatMap((label) => linksOf(label, `\${__field.labels.${label}}`));
}

/** From the cells of the column that shows a label. */
export function linksOfColumn(label: string): DataLink[] {
  return linksOf(label, '${__value.text}');
}

function linksOf(label: string, value: string): DataLink[] {
  const target = targets[label];
  if (!target) return [];
  const { title, uid, variable } = target;
  return [{ title, url: `/d/${uid}?var-${variable}=${value}&\${datasource:queryparam}&\${__url_time_range}` }];
}
