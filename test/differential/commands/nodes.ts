/** Nodes and the swarm itself. */
import { type ComparedCommand, plainCommands } from '../compared-command.ts';

export const nodeCommands: readonly ComparedCommand[] = plainCommands(`
  info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Nodes}} {{.Swarm.Managers}}'
  node ls
  node ls --quiet --filter role=worker
  node ls --filter name=h2 --format '{{.Hostname}} {{.Self}} {{.TLSStatus}}'
  node ls --filter nonsense=1
  node ps h2
  node ps nobody
  node inspect h1 nobody --format '{{.Description.Hostname}} {{.Spec.Role}} {{.Status.State}}'
  node update --availability nonsense h2
  node update --role nonsense h2
  node update --label-add zone=b --label-add rack=1 h2
  node update --label-rm rack h2
  node update --label-rm nothere h2
  node update --availability pause h2
  node ls --format '{{.Hostname}} {{.Availability}}'
  node update --availability active h2
  node inspect --format '{{json .Spec}}' h2
  node demote h2
  node promote nobody
  node rm nobody
  swarm join-token nonsense
  swarm join --token SWMTKN-1-x 127.0.0.1:1
  swarm unlock-key --quiet
  swarm update --task-history-limit 4
  info --format '{{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}}'
  swarm update --task-history-limit 5
  swarm leave
`);
