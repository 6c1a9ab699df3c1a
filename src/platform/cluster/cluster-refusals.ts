import { HoldfastError } from '../../base/errors.ts';

/** All implementations refuse alike. */
export const clusterClosed = (): HoldfastError =>
  new HoldfastError('unavailable', 'platform/Cluster', 'The server is shutting down. Try again '
    + 'shortly.', { code: 'cluster-closed' });

export const nodeNameTaken = (name: string, place: string): HoldfastError =>
  new HoldfastError('conflict', 'platform/NodeRegistry', `Another node is running under the name `
    + `"${name}": ${place}. Give each node a name of its own with cluster.node. If that one has `
    + 'just ended, try again in ten seconds.', { code: 'node-name-taken' });
