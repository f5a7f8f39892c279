/** The committed files: a board's JSON, byte by byte the same whenever it is made. */
import { join } from 'node:path';
import { packageRoot } from '../runtime/version.ts';
import type { Board } from './board.ts';
import { grafanaDashboard } from './grafana/dashboard.ts';

export const dashboardsDirectory = join(packageRoot(), 'dashboards', 'json');

export interface DashboardFile {
  readonly name: string;
  readonly content: string;
}

export function dashboardFile(board: Board): DashboardFile {
  return { name: `${board.uid}.json`, content: `${JSON.stringify(grafanaDashboard(board), undefined, 2)}\n` };
}
