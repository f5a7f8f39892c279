/** The same services read in every way the CLI has. */
import { type ComparedCommand, oneCommand, plainCommands } from '../compared-command.ts';
import { create, image } from './words.ts';

const eitherNode = /\bh[12]\b/g;

export const readingCommands: readonly ComparedCommand[] = [
  {
    name: 'something to read',
    args: [...create, '--name', 'read', '--label', 'a=b', '--publish', '18090:80', '--limit-memory', '64m', image],
  },
  { name: 'everywhere to read', args: [...create, '--name', 'wide', '--mode', 'global', '--env', 'A=b', image] },
  ...plainCommands(`
    service ls
    service ls --quiet --filter name=read
    service ls --filter mode=global --format '{{.Name}}'
    service ls --filter label=a --format '{{.Name}}'
    service ls --filter label=a=c --format '{{.Name}}'
    service ls --format json
    service inspect read
    service inspect --pretty read
    service inspect --pretty wide
    service inspect wide nothere --format '{{.Spec.Name}}'
    inspect --type service --format '{{.Spec.Name}} {{.Spec.Labels}}' read
    inspect --format '{{.Spec.Name}}' read
    service ps wide --format '{{.Name}} {{.Node}} {{.DesiredState}}' --filter node=h1
    service ps read --filter desired-state=shutdown
    service ps read --filter name=read.1 --quiet
    service ps read --filter nonsense=1
    service ps read nothere --format '{{.Name}}'
    service logs --tail 0 read
    service logs read.1
    node ps h1 --filter name=wide --format '{{.Image}} {{.DesiredState}}'
  `),
  {
    ...oneCommand(
      "events --since 1h --until 0s --filter type=service --filter event=create --format '{{.Actor.Attributes.name}}'",
    ),
    ignored: /nopath\n/g,
  },
  { name: 'service ps read', args: ['service', 'ps', 'read'], ignored: eitherNode },
  { name: 'service ps, json', args: ['service', 'ps', '--format', 'json', 'read'], ignored: eitherNode },
  ...plainCommands(`
    service update --detach --image BAD:IMAGE read
    service update --detach --replicas 2 wide
    service update --detach --publish-add 18090:81 read
    service update --detach --publish-add 18090:80 wide
    service update --detach --limit-memory 1m read
    service update --detach --constraint-add node.role read
    service update --detach --update-order nonsense read
    service update --detach --rollback wide
    service update --detach --label-add c=d --label-rm a read
    service inspect --format '{{json .Spec.Labels}} {{json .UpdateStatus}}' read
    service update --detach --env-rm A --env-add B=c --args 'sleep 999' --workdir /tmp wide
    service inspect --format '{{json .Spec.TaskTemplate.ContainerSpec}}' wide
    service update --detach --force wide
    service inspect --format '{{.Spec.TaskTemplate.ForceUpdate}}' wide
    service create --detach --no-resolve-image --name other --publish 18090:80 plimsoll/sleep:1
    service create --detach --no-resolve-image --name read plimsoll/sleep:1
    service rm read wide nothere
  `),
];
