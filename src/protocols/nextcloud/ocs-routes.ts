/** The OCS interface: what clients ask about the server and its users beside the files. */
import { hash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import type { FileService, SharingService } from '../../files/index.ts';
import type { Caller, Identity } from '../../identity/index.ts';
import type { Exchange, HttpHandler, Random } from '../../platform/index.ts';
import type { Authenticator } from '../authenticate.ts';
import { parseBasic } from '../authenticate.ts';
import { decodeSegment } from '../paths.ts';
import { serverCapabilities } from './capabilities.ts';
import { PUSH_PATH } from '../events/push-socket.ts';
import { answerLock, LOCK_API } from './lock-routes.ts';
import type { OcsAnswer, OcsVersion } from './ocs-envelope.ts';
import { OCS_NO_ROUTE } from './ocs-envelope.ts';
import { ocsSender, sendOcsError } from './ocs-exchange.ts';
import type { SendOcs } from './ocs-exchange.ts';
import { ACCESS_API, AccessRoutes } from './sharing/access-routes.ts';
import { SHARE_API, ShareRoutes } from './sharing/share-routes.ts';
import { userAnswer } from './user-answer.ts';

export interface OcsParts {
  files: FileService;
  sharing: SharingService;
  identity: Identity;
  authenticator: Authenticator;
  bulkUpload: 'off' | 'on';
  now: () => number;
  random: Random;
  /** As of DavParts. */
  lockTimeoutSeconds?: number;
}

interface OcsRequest {
  exchange: Exchange;
  send: SendOcs;
  method: string;
}

const NO_ROUTE = {
  status: OCS_NO_ROUTE,
  message: 'There is nothing at this address: see GET /cloud/capabilities for what is served.',
};
const WRONG_METHOD = { status: 405, message: 'This address does not take that method.' };

/** Answers what lies under `prefix`, in one of the two versions. */
export function ocsHandler(parts: OcsParts, prefix: string, version: OcsVersion): HttpHandler {
  const routes = new OcsRoutes(parts);
  return async (exchange) => {
    const { req, path } = exchange;
    const request = {
      exchange, send: ocsSender(exchange, version),
      method: req.method === 'HEAD' ? 'GET' : (req.method ?? ''),
    };
    try {
      await routes.answer(path.slice(prefix.length).replace(/\/+$/, ''), request);
    } catch (error) {
      sendOcsError(exchange, version, error);
    }
  };
}

class OcsRoutes {
  readonly #parts: OcsParts;
  readonly #shares: ShareRoutes;
  readonly #access: AccessRoutes;

  constructor(parts: OcsParts) {
    this.#parts = parts;
    this.#shares = new ShareRoutes(parts);
    this.#access = new AccessRoutes(parts);
  }

  async answer(route: string, request: OcsRequest): Promise<void> {
    const { method, send } = request;
    if (route === 'cloud/capabilities' && method === 'GET') return this.#capabilities(request);
    if (route === 'cloud/user' || route.startsWith('cloud/users/')) {
      if (method !== 'GET') return send(WRONG_METHOD);
      return this.#user(request, route.split('/')[2]);
    }
    if (route === 'core/getapppassword' && method === 'GET') return this.#makeAppPassword(request);
    if (route === 'core/apppassword' && method === 'DELETE') return this.#dropAppPassword(request);
    // A wrong password is told as such, wherever it knocks.
    const caller = await this.#enter(request);
    const { exchange } = request;
    return send(await this.#answerApp(route, { exchange, caller, method }) ?? NO_ROUTE);
  }

  async #answerApp(
    route: string, entered: { exchange: Exchange; caller: Caller; method: string },
  ): Promise<OcsAnswer | undefined> {
    if (route.startsWith(SHARE_API)) {
      return this.#shares.answer(route.slice(SHARE_API.length), entered);
    }
    if (route.startsWith(ACCESS_API)) {
      return this.#access.answer(route.slice(ACCESS_API.length), entered);
    }
    if (!route.startsWith(LOCK_API)) return undefined;
    return answerLock(this.#parts, route.slice(LOCK_API.length), entered);
  }

  /** Anybody may ask: a client looks before it knows which way to sign in. But a wrong password is
   *  refused, since this is how clients try one. */
  async #capabilities({ exchange, send }: OcsRequest): Promise<void> {
    const { authorization, 'if-none-match': known } = exchange.req.headers;
    if (authorization !== undefined) await this.#parts.authenticator.authenticate(exchange);
    const { bulkUpload, sharing } = this.#parts;
    const data = serverCapabilities({
      bulkUpload: bulkUpload === 'on', mail: sharing.canInvite,
      pushAddress: pushAddress(exchange),
    });
    const etag = `"${hash('sha256', JSON.stringify(data), 'hex').slice(0, 32)}"`;
    if (known === etag) {
      exchange.res.writeHead(304, { ETag: etag, 'Cache-Control': 'no-cache' });
      exchange.res.end();
      return;
    }
    send({ status: 200, data }, { ETag: etag, 'Cache-Control': 'no-cache' });
  }

  async #user(request: OcsRequest, rawId: string | undefined): Promise<void> {
    const caller = await this.#enter(request);
    if (rawId !== undefined && decodeSegment(rawId) !== caller.user) {
      // Whether there is such a user is nobody else's business.
      throw new HoldfastError('not-found', 'nextcloud/user', 'There is no such user for you.');
    }
    const { files, identity } = this.#parts;
    const quota = await files.quota(caller);
    const email = (await identity.users.find(caller.user))?.email;
    request.send({ status: 200, data: userAnswer(caller, { quota, email }) });
  }

  /** Turns a password into an app password, so that the device need not keep the password. */
  async #makeAppPassword(request: OcsRequest): Promise<void> {
    const caller = await this.#enter(request);
    if (caller.credential !== 'password') {
      const message = 'You are using an app password already.';
      throw new HoldfastError('denied', 'nextcloud/getapppassword', message);
    }
    const device = request.exchange.req.headers['user-agent'] ?? '';
    const { password } = await this.#parts.identity.appPasswords.create(caller.user, device);
    request.send({ status: 200, data: { apppassword: password } });
  }

  /** What a client does when its person signs out there. */
  async #dropAppPassword(request: OcsRequest): Promise<void> {
    const caller = await this.#enter(request);
    const shown = parseBasic(request.exchange.req.headers.authorization);
    const { appPasswords } = this.#parts.identity;
    if (caller.credential !== 'app-password' || shown === undefined
      || !(await appPasswords.revokePresented(caller.user, shown.password))) {
      const message = 'You are not using an app password.';
      throw new HoldfastError('denied', 'nextcloud/apppassword', message);
    }
    request.send({ status: 200 });
  }

  /** Clients always send this header, and a web page of another site cannot. @throws precondition;
   *  as `authenticate`. */
  async #enter({ exchange }: OcsRequest): Promise<Caller> {
    const caller = await this.#parts.authenticator.authenticate(exchange);
    if (exchange.req.headers['ocs-apirequest'] !== undefined) return caller;
    const message = 'This request lacks the header "OCS-APIRequest: true".';
    throw new HoldfastError('precondition', 'nextcloud/ocs', message);
  }
}

/** As the client has reached this server. */
function pushAddress({ origin }: Exchange): string {
  return `${origin.replace(/^http/, 'ws')}${PUSH_PATH}`;
}
