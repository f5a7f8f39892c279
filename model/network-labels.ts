/** Labels of the engine's objects that belong to networks of the cluster. */
export const networkLabels = {
  id: 'plimsoll.network.id',
  name: 'plimsoll.network.name',
  /** On containers: `<network>=<address>`, separated by commas: what lets a restarted agent know them. */
  addresses: 'plimsoll.network.addresses',
} as const;
