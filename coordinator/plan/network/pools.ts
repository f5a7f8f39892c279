/** Where addresses of networks come from. */
import { nodePoolText, vipPoolText } from '../../../model/address-pools.ts';
import { type Ipv4Range, ipv4Range } from '../../../runtime/ipv4.ts';

/** Ranges of nodes are cut from here, unless a network has a range of its own. */
export const nodePool: Ipv4Range = ipv4Range(nodePoolText);
/** Virtual addresses of services. It begins where the nodes' pool ends. */
export const vipPool: Ipv4Range = ipv4Range(vipPoolText);

/** Addresses of one node's range: 61 containers, beside the network's own, the bridge's and the broadcast address. */
export const NODE_RANGE_PREFIX = 26;
