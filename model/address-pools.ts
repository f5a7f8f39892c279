/** Where addresses of networks come from: the same on every node. */

/** Ranges of nodes are cut from here, unless a network has a range of its own. */
export const nodePoolText = '10.200.0.0/13';
/** Virtual addresses of services. */
export const vipPoolText = '10.208.0.0/16';
