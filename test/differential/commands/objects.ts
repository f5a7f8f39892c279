/** Networks, secrets, configs and a stack. */
import { fileURLToPath } from 'node:url';
import { type ComparedCommand, oneCommand, plainCommands } from '../compared-command.ts';

const stackFile = fileURLToPath(new URL('../stack.yml', import.meta.url));
/** The CLI goes through a map. */
const anyOrder = /(Creating|Updating|Removing) \w+ .*\n/g;
/** Any file that is there. */
const content = stackFile;

export const objectCommands: readonly ComparedCommand[] = [
  ...plainCommands(`
    network create --driver overlay --label a=b back
    network create --driver overlay back
    network create --driver overlay --internal --attachable inner
    network ls --filter driver=overlay --filter label=a --format '{{.Name}} {{.Driver}} {{.Scope}}'
    network inspect back --format '{{.Name}} {{.Scope}} {{.Driver}} {{.Internal}} {{.Attachable}} {{.Ingress}} {{json .Labels}}'
    network inspect inner --format '{{.Name}} {{.Internal}} {{.Attachable}}'
    service create --detach --no-resolve-image --name on --network name=back,alias=db plimsoll/sleep:1
    network rm back
    service create --detach --no-resolve-image --name twice --network back --network back plimsoll/sleep:1
    service update --detach --network-rm back on
    service inspect --format '{{json .Spec.TaskTemplate.Networks}}' on
    service rm on
    network rm inner
    secret create --label a=b pass ${content}
    secret create pass ${content}
    secret create bad/name ${content}
    secret ls --format '{{.Name}} {{.Driver}}'
    secret ls --filter label=a --format '{{.Name}}'
    secret inspect --format '{{.Spec.Name}} {{json .Spec.Labels}} {{json .Spec.Data}}' pass
    config create --label a=b conf ${content}
    config create conf ${content}
    config ls --format '{{.Name}}'
    config inspect --format '{{.Spec.Name}} {{json .Spec.Labels}}' conf
    config inspect --pretty conf
    service create --detach --no-resolve-image --name holds --secret pass --config source=conf,target=/etc/conf plimsoll/sleep:1
    service create --detach --no-resolve-image --name x --secret source=pass,target=a --secret source=pass,target=a plimsoll/sleep:1
    service inspect --format '{{json .Spec.TaskTemplate.ContainerSpec}}' holds
    secret rm pass
    config rm conf
    service update --detach --secret-rm pass --config-rm conf holds
    service rm holds
    secret rm pass
    config rm conf
    stack ls
  `),
  {
    name: 'stack deploy',
    args: ['stack', 'deploy', '--resolve-image', 'never', '-c', stackFile, 'shop'],
    ignored: anyOrder,
  },
  ...plainCommands(`
    stack ls --format '{{.Name}} {{.Services}}'
    stack services shop --format '{{.Name}} {{.Mode}} {{.Image}}'
    service inspect --format '{{json .Spec}}' shop_web
    network ls --filter label=com.docker.stack.namespace=shop --format '{{.Name}}'
    config ls --format '{{.Name}}'
  `),
  {
    name: 'stack deploy, again',
    args: ['stack', 'deploy', '--resolve-image', 'never', '--prune', '-c', stackFile, 'shop'],
    ignored: anyOrder,
  },
  { name: 'stack rm', args: ['stack', 'rm', 'shop'], ignored: anyOrder },
  { ...oneCommand('network ls --quiet --filter name=shop'), until: /^$/ },
];
