/**
 * What hosts have that Docker has no word for: the engines of both clusters advertise `FPGA=F2,FPGA=F1`. The CLI sends
 * several kinds in an order of its own, another each time (a Go map's): one kind at most is looked at.
 */
import { type ComparedCommand, oneCommand, plainCommands } from '../compared-command.ts';

const onH1 = 'service create --detach --no-resolve-image --restart-condition none --constraint node.hostname==h1';

export const resourceCommands: readonly ComparedCommand[] = [
  ...plainCommands(`
    node inspect h1 --format '{{json .Description.Resources.GenericResources}}'
    ${onH1} --name chip --generic-resource FPGA=1 plimsoll/sleep:1 /bin/busybox sh -c 'echo got $DOCKER_RESOURCE_FPGA'
    service inspect chip --format '{{json .Spec.TaskTemplate.Resources}}'
  `),
  { ...oneCommand('service logs --raw chip'), until: /got/ },
  ...plainCommands(`
    service update --detach --generic-resource-add FPGA=3 chip
    service inspect chip --format '{{json .Spec.TaskTemplate.Resources}}'
    service update --detach --generic-resource-add licence=0 chip
    service update --detach --generic-resource-rm licence chip
    service inspect chip --format '{{json .Spec.TaskTemplate.Resources}}'
    service create --detach --no-resolve-image --name chips --generic-resource FPGA=3 plimsoll/sleep:1
  `),
  {
    ...oneCommand("service ps chips --no-trunc --format '{{.Name}} {{.Error}}'"),
    until: /no suitable node/,
    ignored: /; wants 3 FPGA/g,
  },
  ...plainCommands('service rm chip chips'),
];
