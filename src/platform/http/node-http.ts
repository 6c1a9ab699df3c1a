/**
 * Node's HTTP, for whoever uses more of it than its types. To import `node:http` is to read all
 * that it exports, and one of that is loaded when it is read: a WebSocket, and with it the client
 * behind `fetch`, which nobody here uses, in each thread: a twentieth of a start, and 7 MiB.
 */
export const nodeHttp = process.getBuiltinModule('node:http');
