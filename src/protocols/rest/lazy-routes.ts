/**
 * The API, loaded with the first request for it: nearly half of the modules of a server are its
 * and what it is built on, and whoever has sync clients alone never asks for it.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { HttpHandler, Route } from '../../platform/index.ts';
import { sendProblem } from './problem.ts';
import type { RestParts } from './rest-parts.ts';

const OP = 'rest/load';
/** What is loaded late lies here. */
const FOLDERS = [import.meta.dirname, join(import.meta.dirname, '../../wire')];

/** The OpenAPI document. No service is called for it. */
export async function restDocument(parts: RestParts): Promise<object> {
  return (await import('./rest-routes.ts')).restDocument(parts);
}

/** Files that were replaced under a running server are not loaded: they may not fit the rest, which
 *  is older. The requests are then refused with `unavailable`, code `program-replaced`. */
export function restRoutes(parts: RestParts, folders: readonly string[] = FOLDERS): Route[] {
  const stamp = stampOf(folders);
  let loading: Promise<HttpHandler> | undefined;
  const load = async (): Promise<HttpHandler> => {
    if (stampOf(folders) !== stamp) throw replaced();
    return (await import('./rest-routes.ts')).restHandler(parts);
  };
  return [{
    prefix: '/api/', name: 'rest',
    async handler(exchange) {
      loading ??= load();
      let handler: HttpHandler;
      try {
        handler = await loading;
      } catch (error) {
        loading = undefined;
        sendProblem(exchange, error);
        return;
      }
      await handler(exchange);
    },
  }];
}

/** Differs when a file was written, added or taken away. */
function stampOf(folders: readonly string[]): string {
  return folders.flatMap((folder) => readdirSync(folder).map((name) => {
    const { mtimeMs, size } = statSync(join(folder, name));
    return `${name} ${mtimeMs} ${size}`;
  })).join('\n');
}

function replaced(): HoldfastError {
  const message = 'The files of the program were replaced while the server runs. Whoever '
    + 'looks after it has to start it anew; sync clients go on meanwhile.';
  return new HoldfastError('unavailable', OP, message, { code: 'program-replaced' });
}
