/** For tests: a server with the ways to follow changes, on stores in memory. */
import { once } from 'node:events';
import http from 'node:http';
import { WebSocket } from 'ws';
import { ChangeFeed, ChangeHub, SpaceDirectory, bodyOf } from '../../../files/index.ts';
import type { FeedPage, HubLimits } from '../../../files/index.ts';
import { DEFAULT_TENANT, parseUserId } from '../../../base/ids.ts';
import { parsePath } from '../../../base/names.ts';
import type { Caller } from '../../../identity/index.ts';
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import { CloudSite, PASSWORD, ask } from '../../nextcloud/testing/cloud-site.ts';
import type { Answer, SiteParts } from '../../nextcloud/testing/cloud-site.ts';
import { peopleOf } from '../../people.ts';
import { CHANGE_OPERATIONS } from '../../rest/changes.ts';
import { openApiDocument } from '../../rest/openapi.ts';
import { Contract } from '../../rest/testing/contract.ts';
import { CHANGES_PATH, eventRoutes } from '../event-routes.ts';

const CONTRACT = new Contract(openApiDocument(CHANGE_OPERATIONS));
const LIMITS: HubLimits = { listenersMax: 100, perUserMax: 20 };

export interface Page {
  reset?: boolean;
  items?: { kind: string; key: string; path?: string; node?: { name: string; etag?: string } }[];
  cursor: string;
  isMore?: boolean;
}

export class EventSite {
  readonly cloud: CloudSite;
  readonly hub: ChangeHub;
  readonly parts: SiteParts;

  private constructor(cloud: CloudSite, hub: ChangeHub, parts: SiteParts) {
    this.cloud = cloud;
    this.hub = hub;
    this.parts = parts;
  }

  static async open(
    { limits = LIMITS, clock = systemClock, enlarge = (page) => page }: {
      limits?: HubLimits; clock?: Clock;
      /** Makes something else of what the feed says. */
      enlarge?: (page: FeedPage) => FeedPage;
    } = {},
  ): Promise<EventSite> {
    const made: { hub?: ChangeHub; parts?: SiteParts } = {};
    const cloud = await CloudSite.open({
      moreRoutes(parts) {
        const { metadata, identity, authenticator, now } = parts;
        const hub = new ChangeHub({
          metadata, limits, onTrouble: (error) => process.emitWarning(String(error)),
        });
        const commit = metadata.commit.bind(metadata);
        metadata.commit = async (change) => {
          const result = await commit(change);
          if ('spaceId' in change) hub.changed(change.spaceId);
          return result;
        };
        const spaces = new SpaceDirectory({
          metadata, now, people: peopleOf(identity),
          defaults: { casePolicy: 'sensitive', quotaBytes: undefined },
        });
        const feed = new ChangeFeed({ metadata, spaces, now, installation: 'here' });
        Object.assign(made, { hub, parts });
        const enlarged: Pick<ChangeFeed, 'changesSince'> = {
          changesSince: async (...asked) => enlarge(await feed.changesSince(...asked)),
        };
        return eventRoutes({ feed: enlarged, hub, clock, identity, authenticator });
      },
    });
    if (made.hub === undefined || made.parts === undefined) throw new Error('no routes were made');
    return new EventSite(cloud, made.hub, made.parts);
  }

  close(): Promise<void> {
    return this.cloud.close();
  }

  get port(): number {
    return this.cloud.server.port;
  }

  caller(user: string): Caller {
    return {
      user: parseUserId(user), tenant: DEFAULT_TENANT, displayName: user, admin: false,
      device: 'test', credential: 'password', groups: [], groupsRev: 0,
    };
  }

  async write(user: string, name: string): Promise<void> {
    const body = bodyOf(Buffer.from(name));
    await this.parts.files.upload(this.caller(user), parsePath([name]), body);
  }

  /** Anna gives Ben something. */
  async share(name: string): Promise<void> {
    const { node } = await this.parts.files.get(this.caller('anna'), parsePath([name]));
    await this.parts.metadata.commit({
      op: 'put-grant', spaceId: node.spaceId, nodeId: node.id, role: 'viewer', isShown: true,
      subject: { kind: 'user', id: 'ben' }, expiresAt: undefined, terms: '',
      actor: { user: parseUserId('anna'), device: '', at: this.parts.now(), lockTokens: [] },
    });
  }

  /** The answer is held against the document. */
  async get(
    query = '', options: { user?: string; method?: string } = {},
  ): Promise<Answer> {
    const { user = 'anna', method = 'GET' } = options;
    const auth = user === '' ? undefined : `${user}:${PASSWORD}`;
    const answer = await ask({ port: this.port, method, path: `${CHANGES_PATH}${query}`, auth });
    CONTRACT.check(method, `/changes${query}`, answer);
    return answer;
  }

  /** Fails when a page that came by a stream or socket is not as the document says. */
  checkPage(text: string): Page {
    const headers = { 'content-type': 'application/json' };
    CONTRACT.check('GET', '/changes', { status: 200, headers, text } as Answer);
    return JSON.parse(text) as Page;
  }

  async page(query = '', user = 'anna'): Promise<Page> {
    const answer = await this.get(query, { user });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as Page;
  }

  /** Resolves when so many wait, in all. */
  async waiting(count: number): Promise<void> {
    while (this.hub.listenerCount !== count) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  async stream(headers: Record<string, string> = {}, query = ''): Promise<Stream> {
    const req = http.get({
      port: this.port, path: `${CHANGES_PATH}/stream${query}`, auth: `anna:${PASSWORD}`,
      agent: false, headers,
    });
    const [res] = await once(req, 'response') as [http.IncomingMessage];
    return new Stream(res);
  }

  socket(path: string, headers: Record<string, string> = {}): Socket {
    return new Socket(new WebSocket(`ws://127.0.0.1:${this.port}${path}`, { headers }));
  }
}

export function basic(user: string): { Authorization: string } {
  const text = Buffer.from(`${user}:${PASSWORD}`).toString('base64');
  return { Authorization: `Basic ${text}` };
}

/** What comes, one after the other. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }
}

export interface StreamEvent {
  id?: string;
  event?: string;
  data?: string;
  retry?: string;
}

export class Stream {
  readonly res: http.IncomingMessage;
  readonly #inbox = new Inbox<StreamEvent | undefined>();
  #text = '';

  constructor(res: http.IncomingMessage) {
    this.res = res;
    res.setEncoding('utf8');
    res.on('data', (text: string) => this.#take(text));
    res.on('close', () => this.#inbox.put(undefined));
  }

  #take(text: string): void {
    const blocks = (this.#text + text).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').filter((line) => !line.startsWith(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
      this.#inbox.put(Object.fromEntries(fields) as StreamEvent);
    }
  }

  /** undefined: it has ended. */
  next(): Promise<StreamEvent | undefined> {
    return this.#inbox.take();
  }

  close(): void {
    this.res.destroy();
  }
}

export class Socket {
  readonly ws: WebSocket;
  readonly #inbox = new Inbox<string>();
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Status of a refusal; undefined once it is open. */
  readonly opened: Promise<number | undefined>;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer) => this.#inbox.put(data.toString()));
    ws.on('error', () => undefined); // What it was the other promises say.
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    this.opened = new Promise((resolve) => {
      ws.on('open', () => resolve(undefined));
      ws.on('unexpected-response', (req, res) => {
        resolve(res.statusCode ?? 0);
        req.destroy();
      });
    });
  }

  next(): Promise<string> {
    return this.#inbox.take();
  }

  async page(): Promise<Page> {
    return JSON.parse(await this.next()) as Page;
  }

  async send(text: string): Promise<void> {
    await this.opened;
    this.ws.send(text);
  }

  close(): void {
    this.ws.close();
  }
}
