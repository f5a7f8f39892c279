/** Every board there is, from the whole to the part. */
import type { Board } from './board.ts';
import { autoscaling } from './boards/autoscaling.ts';
import { cluster } from './boards/cluster.ts';
import { controlPlane } from './boards/control-plane.ts';
import { nats } from './boards/nats.ts';
import { nodes } from './boards/nodes.ts';
import { service } from './boards/service.ts';
import { services } from './boards/services.ts';
import { tasks } from './boards/tasks.ts';

export const allBoards: readonly Board[] = [cluster, nodes, services, service, tasks, autoscaling, controlPlane, nats];
