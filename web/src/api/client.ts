/** The server, as the page calls it: every operation of docs/api.md is a method. */
import { ApiClient } from '../../../src/wire/client.ts';
import { watchedFetch } from './http.ts';

export const api = new ApiClient({ fetch: watchedFetch });
