export { askServer } from './control-client.ts';
export type { Order } from './control-client.ts';
export { ControlServer } from './control-server.ts';
export type { Operation, OperationContext, Operations, Plain, PlainRecord } from './operation.ts';
