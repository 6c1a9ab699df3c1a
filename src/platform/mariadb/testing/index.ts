/** The door for tests that start a server of their own, or break the way to it. */
export { CuttingProxy } from './cutting-proxy.ts';
export type { Cut } from './cutting-proxy.ts';
export { GaleraCluster } from './galera-cluster.ts';
export type { GaleraNode } from './galera-cluster.ts';
export { LEAST, letLeastUsersIn } from './least-users.ts';
export { numbersTo, planOf } from './plans.ts';
export type { PlanRow } from './plans.ts';
export { ScratchServer, inTime } from './scratch-server.ts';
export { mysqlProgram } from './server-program.ts';
