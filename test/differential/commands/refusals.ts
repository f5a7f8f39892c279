/** What neither takes, before anything is written. */
import { type ComparedCommand, plainCommands } from '../compared-command.ts';

const refusedFlags = `
  --name a_very_long_name_that_is_longer_than_what_a_dns_name_component_may_be
  --name under__score-
  --name web.1
  --mode nonsense
  --mode global --replicas 2
  --replicas x
  --replicas 2 --max-concurrent 1
  --limit-cpu 0.0000001
  --reserve-cpu 0.0000001
  --reserve-memory 1m
  --publish 99999:80
  --publish published=80,target=80,mode=nonsense
  --publish 80:80 --publish 80:81
  --mount type=nonsense,target=/a
  --mount type=tmpfs,target=/a --mount type=tmpfs,target=/a
  --constraint node.role=manager
  --constraint 'node.role > manager'
  --placement-pref nonsense=node.labels.a
  --restart-condition nonsense
  --update-order nonsense
  --update-failure-action nonsense
  --update-max-failure-ratio 2
  --ulimit nofile=x
  --ulimit nofile=20:10
  --env =x
  --health-interval 1us
  --health-retries -1
  --endpoint-mode nonsense
  --config nothere
  --generic-resource nonsense
  --dns nonsense
  --host nonsense
  --credential-spec nonsense
  --mode replicated-job --update-order start-first
  --mode global-job --replicas 2
  --log-opt
`;

export const refusalCommands: readonly ComparedCommand[] = [
  ...refusedFlags
    .trim()
    .split('\n')
    .flatMap((flags, index) => {
      const name = flags.includes('--name') ? '' : `--name x${index}`;
      return plainCommands(`service create --detach --no-resolve-image ${name} ${flags.trim()} plimsoll/sleep:1`);
    }),
  ...plainCommands(`
    service create --detach --no-resolve-image --name pids --replicas 0 --limit-pids -1 --rollback-failure-action pause plimsoll/sleep:1
    service inspect --format '{{json .Spec.TaskTemplate.Resources}}' pids
    service rm pids
    service create --detach --no-resolve-image --name nopath --replicas 0 --mount type=tmpfs,target=relative plimsoll/sleep:1
    service create --detach --no-resolve-image --name nopath --replicas 0 --mount type=bind,source=relative,target=/a plimsoll/sleep:1
    service rm nopath
    service create
    service create --nonsense plimsoll/sleep:1
    service create --name x ''
    service update nothere
    service update
    service rollback nothere
    service scale nothere=1
    service scale web
    service scale web=x
    service rm
    service inspect
    service ps
    service ls --filter nonsense=1
    service ls nonsense
    inspect --type service nothere
    network inspect nothere
    network rm nothere
    secret inspect nothere
    secret rm nothere
    config inspect nothere
    config rm nothere
    stack ps nothere
    stack services nothere
    stack rm nothere
    stack deploy -c /nothere.yml s
    ps --filter nonsense=1
    logs nothere
    inspect nothere
    exec nothere true
    stop nothere
  `),
];
