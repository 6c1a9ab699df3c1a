/**
 * Desktop clients (Qt) send a request's header and its body in two writes. Their kernel holds the
 * body back until our kernel has acknowledged the header (Nagle's algorithm), and ours delays that
 * acknowledgement by 40 ms as long as we have nothing to send. A `100 Continue` is something to
 * send: a PROPFIND of such a client then takes 2 ms and not 42. A client must be able to read one
 * that it did not ask for (RFC 9110, section 15.2), but only those are sent one that gain by it and
 * were seen to take it well.
 */
import type { IncomingMessage } from 'node:http';

const STALLING_CLIENT = /\bmirall\//;

export function wantsEarlyContinue(req: IncomingMessage): boolean {
  const { headers, httpVersionMajor, httpVersionMinor } = req;
  if (httpVersionMajor !== 1 || httpVersionMinor < 1) return false;
  const announced = headers['content-length'];
  const hasBody = headers['transfer-encoding'] !== undefined
    || (announced !== undefined && announced !== '0');
  return hasBody && STALLING_CLIENT.test(headers['user-agent'] ?? '');
}
