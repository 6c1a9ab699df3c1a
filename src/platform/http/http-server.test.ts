import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { ManualClock, systemClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import { Metrics } from '../metrics.ts';
import { bodyOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { currentRequest, markReads } from '../sql/request-mark.ts';
import { HttpServer } from './http-server.ts';
import type { HttpServerOptions } from './http-server.ts';
import type { Route } from './route-table.ts';
import { TrustedProxies } from './trusted-proxies.ts';

const BASE = { listen: { host: '127.0.0.1', port: 0 }, log: silentLog, clock: systemClock };
const opened: { server: HttpServer; sockets: Socket[] }[] = [];

async function open(
  handler: Route['handler'],
  options: Partial<HttpServerOptions> = {},
): Promise<HttpServer> {
  const routes = [{ prefix: '/', name: 'all', handler }];
  const server = await HttpServer.open({ ...BASE, routes, ...options });
  opened.push({ server, sockets: [] });
  return server;
}

afterEach(async () => {
  for (const { server, sockets } of opened.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await server.drain(0);
  }
});

/** A bare connection, so that a test decides what goes over the wire and when. */
class Wire {
  readonly socket: Socket;
  received = '';
  readonly closed: Promise<void>;

  constructor(server: HttpServer) {
    this.socket = connect(server.port, '127.0.0.1');
    this.socket.on('error', () => undefined); // Cuts are what some tests are about.
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    opened.find((entry) => entry.server === server)?.sockets.push(this.socket);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      assert.ok(!this.socket.destroyed, `closed before ${text} came: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
  }
}

function get(path: string, headers = 'Host: here\r\n'): string {
  return `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
}

async function hello({ res }: Exchange): Promise<void> {
  res.end('hello');
}

describe('HttpServer answers', () => {
  it('by the longest matching route, and 404 where there is none', async () => {
    const answer = (text: string) => async ({ res }: Exchange): Promise<void> => {
      res.end(text);
    };
    const routes = [
      { prefix: '/a/', name: 'a', handler: answer('a') },
      { prefix: '/a/b/', name: 'b', handler: answer('b') },
      { prefix: '/a/b', name: 'exact', handler: answer('exact') },
    ];
    const { url } = await open(hello, { routes });
    const bodies = await Promise.all(['/a/x', '/a/b/c', '/a/b?q=1', '/a/', '/a/bc'].map(
      async (path) => (await fetch(url + path)).text(),
    ));
    assert.deepEqual(bodies, ['a', 'b', 'exact', 'a', 'a']);
    assert.equal((await fetch(`${url}/a`)).status, 404);
  });

  it('with an id that no other request has, and that what it awaits knows too', async () => {
    markReads();
    const { url } = await open(async ({ res, requestId }) => {
      const ofStatement = await Promise.resolve().then(() => currentRequest());
      res.end(ofStatement === requestId ? requestId : `${ofStatement} in place of it`);
    });
    const answers = await Promise.all([fetch(url), fetch(url), fetch(url)]);
    const ids = answers.map((answer) => answer.headers.get('x-request-id'));
    assert.equal(new Set(ids).size, 3);
    assert.deepEqual(await Promise.all(answers.map((answer) => answer.text())), ids);
  });

  it('500 with the request id and no header of the handler when that throws', async () => {
    const { url } = await open(async ({ res }) => {
      res.setHeader('Content-Length', 10_000);
      res.setHeader('ETag', '"wrong"');
      throw new TypeError('broken');
    });
    const answer = await fetch(url);
    assert.equal(answer.status, 500);
    assert.equal(answer.headers.get('etag'), null);
    assert.ok((await answer.text()).includes(answer.headers.get('x-request-id') ?? 'none'));
  });

  it('500 when the handler returns without an answer', async () => {
    const { url } = await open(async () => undefined);
    assert.equal((await fetch(url)).status, 500);
  });

  it('by a cut, never by a proper end, when the handler throws after the headers', async () => {
    const server = await open(async ({ res }) => {
      res.write('half');
      throw new Error('too late');
    });
    const wire = new Wire(server);
    wire.send(get('/'));
    await wire.closed;
    assert.ok(!wire.received.includes('\r\n0\r\n\r\n'), 'the last chunk must not be sent');
  });

  it('400 to what is not HTTP, and 431 to too many or too large headers', async () => {
    const server = await open(hello);
    const statusOf = async (text: string): Promise<string> => {
      const wire = new Wire(server);
      wire.send(text);
      await wire.closed;
      return wire.received.slice(9, 12);
    };
    const many = Array.from({ length: 140 }, (_, at) => `x-${at}: 1\r\n`).join('');
    assert.equal(await statusOf('NONSENSE\r\n\r\n'), '400');
    assert.equal(await statusOf(get('/', `Host: here\r\n${many}`)), '431');
    assert.equal(await statusOf(get('/', `Host: here\r\nx: ${'y'.repeat(40_000)}\r\n`)), '431');
  });
});

describe('HttpServer and bodies', () => {
  it('asks for an expected body only once the handler reads', async () => {
    let startReading = (): void => undefined;
    const mayRead = new Promise<void>((resolve) => {
      startReading = resolve;
    });
    let called = (): void => undefined;
    const wasCalled = new Promise<void>((resolve) => {
      called = resolve;
    });
    const server = await open(async (exchange) => {
      called();
      await mayRead;
      let text = '';
      for await (const chunk of bodyOf(exchange)) text += chunk.toString();
      exchange.res.end(`got ${text}`);
    });
    const wire = new Wire(server);
    wire.send('PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    await wasCalled;
    await turn();
    assert.equal(wire.received, '');
    startReading();
    await wire.until('100 Continue');
    wire.send('data');
    await wire.until('got data');
    assert.ok(!/connection: close/i.test(wire.received));
  });

  it('refuses an expected body without asking for it, and closes', async () => {
    const server = await open(async ({ res }) => {
      res.writeHead(507).end();
    });
    const wire = new Wire(server);
    wire.send('PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    await wire.closed;
    assert.match(wire.received, /^HTTP\/1.1 507 [^]*connection: close/i);
  });

  it('gets a refusal to a client that still sends, and keeps the connection', async () => {
    const sizeBytes = 3_000_000;
    const clock = new ManualClock(0);
    const server = await open(async (exchange) => {
      const body = bodyOf(exchange)[Symbol.asyncIterator]();
      await body.next();
      await body.return?.();
      exchange.res.writeHead(413, { 'Content-Length': 0 }).end();
    }, { clock });
    const wire = new Wire(server);
    wire.send(`PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: ${sizeBytes}\r\n\r\n`);
    wire.send('x'.repeat(100_000));
    await wire.until(' 413 ');
    wire.send('x'.repeat(sizeBytes - 100_000));
    wire.received = '';
    wire.send('PUT /y HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\ny');
    await wire.until(' 413 ');
    clock.advance(60_000); // The limit for reading on must not hit what comes after.
    wire.received = '';
    wire.send('PUT /z HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nz');
    await wire.until(' 413 ');
  });

  it('cuts a client that sends on for too long after a refusal', async () => {
    const clock = new ManualClock(0);
    const server = await open(async ({ res }) => {
      res.writeHead(413, { 'Content-Length': 0 }).end();
    }, { clock });
    const wire = new Wire(server);
    wire.send('PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx');
    await wire.until(' 413 ');
    while (server.inFlight > 0) await turn();
    clock.advance(10_000);
    await wire.closed;
  });

  it('cuts a client that owes the rest of its body and sends nothing', async () => {
    const server = await open(
      async (exchange) => {
        for await (const chunk of bodyOf(exchange)) assert.ok(chunk.length > 0);
        exchange.res.end('complete');
      },
      { idleTimeoutMs: 60 },
    );
    const wire = new Wire(server);
    wire.send('PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf');
    await wire.closed;
    assert.equal(wire.received, '');
  });

  it('waits for a handler that takes longer than the idle time', async () => {
    const server = await open(
      async ({ res }) => {
        await new Promise<void>((resolve) => void systemClock.after(200, resolve));
        res.end('at last');
      },
      { idleTimeoutMs: 50 },
    );
    const kept = systemClock.after(60_000, () => undefined);
    const answer = await fetch(server.url);
    kept();
    assert.equal(await answer.text(), 'at last');
  });

  it('fires the signal when the client goes away, also when it is asked for later', async () => {
    let early: AbortSignal | undefined;
    const late = Promise.withResolvers<boolean>();
    const server = await open(async (exchange) => {
      early = exchange.signal;
      await once(exchange.res, 'close');
      late.resolve(exchange.signal.aborted);
    });
    const wire = new Wire(server);
    wire.send(get('/'));
    while (server.inFlight === 0) await turn();
    wire.socket.destroy();
    assert.equal(await late.promise, true);
    assert.equal(early?.aborted, true);
  });
});

describe('HttpServer and its states', () => {
  const always: Route = { prefix: '/healthz', name: 'health', handler: hello, always: true };

  it('answers 503 with Retry-After until it serves, except where always is said', async () => {
    const server = await open(hello, { routes: [always], isStarting: true });
    assert.equal(server.state, 'starting');
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    const refused = await fetch(server.url);
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    server.serve([always, { prefix: '/', name: 'all', handler: hello }]);
    assert.equal((await fetch(server.url)).status, 200);
  });

  it('lets a replaced gate answer', async () => {
    const gate = async ({ res }: Exchange): Promise<void> => {
      res.writeHead(503, { 'X-Gate': 'own' }).end();
    };
    const server = await HttpServer.open({ ...BASE, gate });
    opened.push({ server, sockets: [] });
    assert.equal((await fetch(server.url)).headers.get('x-gate'), 'own');
  });

  it('drains: finishes what runs, closes what idles, takes nothing new', async () => {
    const release = Promise.withResolvers<undefined>();
    const server = await open(async ({ res, path }) => {
      if (path === '/slow') await release.promise;
      res.end(`done ${path}`);
    });
    const idle = new Wire(server);
    idle.send(get('/quick'));
    await idle.until('done /quick');
    const busy = new Wire(server);
    busy.send(get('/slow'));
    while (server.inFlight === 0) await turn();
    const drained = server.drain(10_000);
    await idle.closed;
    assert.equal(server.state, 'draining');
    await assert.rejects(fetch(server.url));
    release.resolve(undefined);
    await busy.closed;
    assert.match(busy.received, /connection: close[^]*done \/slow/i);
    await drained;
    assert.equal(server.inFlight, 0);
  });

  it('cuts a client that was refused another protocol and does not leave', {
    timeout: 60_000,
  }, async () => {
    const server = await HttpServer.open({ ...BASE, routes: [{
      prefix: '/', name: 'all', handler: ({ res }) => Promise.resolve(void res.end()),
      upgrade: ({ res }) => Promise.resolve(void res.writeHead(401).end()),
    }] });
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    opened.push({ server, sockets: [socket] });
    socket.on('error', () => undefined);
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    while (!isClosed) {
      socket.write('still here');
      await turn();
    }
  });

  it('closes a connection whose answer had begun before the drain, once it is out', async () => {
    const release = Promise.withResolvers<undefined>();
    const releaseOther = Promise.withResolvers<undefined>();
    const server = await open(async ({ res, path }: Exchange) => {
      res.write('begun ');
      await (path === '/other' ? releaseOther.promise : release.promise);
      res.end('ended');
    });
    const wire = new Wire(server);
    const other = new Wire(server);
    wire.send(get('/'));
    other.send(get('/other'));
    await Promise.all([wire.until('begun'), other.until('begun')]);
    const drained = server.drain(10_000);
    release.resolve(undefined);
    await wire.closed;
    assert.equal(server.inFlight, 1);
    releaseOther.resolve(undefined);
    await drained;
    assert.ok(wire.received.includes('ended'));
  });

  it('aborts at the drain deadline and waits for the handlers to clean up', async () => {
    const clock = new ManualClock(0);
    let cleaned = false;
    const server = await open(
      async ({ signal }) => {
        await once(signal, 'abort');
        await turn();
        cleaned = true;
        throw new Error('given up', { cause: signal.reason });
      },
      { clock },
    );
    const wire = new Wire(server);
    wire.send(get('/'));
    while (server.inFlight === 0) await turn();
    const drained = server.drain(1000);
    clock.advance(1000);
    await drained;
    assert.ok(cleaned);
    await wire.closed;
    assert.equal(wire.received, '');
  });

  it('says what to do when the address is taken', async () => {
    const first = await open(hello);
    const second = HttpServer.open({ ...BASE, listen: { host: '127.0.0.1', port: first.port } });
    await assert.rejects(second, (error: unknown) => {
      return isKind(error, 'unavailable') && error.message.includes('--listen');
    });
  });
});

describe('HttpServer tells handlers', () => {
  async function facts(
    options: Partial<HttpServerOptions>,
    headers: Record<string, string>,
    path = '/p%20q?a=1&b=2',
  ): Promise<Record<string, string>> {
    const { port } = await open(async ({ res, address, origin, path: raw, query }) => {
      res.end(JSON.stringify({ address, origin, path: raw, query: query.toString() }));
    }, options);
    const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    return JSON.parse(text) as Record<string, string>;
  }
  const forwarded = {
    Host: 'inner:1', 'X-Forwarded-For': '6.6.6.6, 9.8.7.6, 127.0.0.1',
    'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'cloud.example',
  };

  it('the path as it came and the query taken apart', async () => {
    const told = await facts({}, {});
    assert.deepEqual([told['path'], told['query']], ['/p%20q', 'a=1&b=2']);
  });

  it('the path alone when a proxy sent an absolute target', async () => {
    const told = await facts({}, {}, 'http://elsewhere.example/x/y');
    assert.equal(told['path'], '/x/y');
  });

  it('nothing a stranger claims about forwarding', async () => {
    const told = await facts({}, forwarded);
    assert.equal(told['address'], '127.0.0.1');
    assert.equal(told['origin'], 'http://inner:1');
  });

  it('what a trusted proxy says, down to the first address that is no proxy', async () => {
    const trustedProxies = TrustedProxies.parse('loopback');
    const told = await facts({ trustedProxies }, forwarded);
    assert.equal(told['address'], '9.8.7.6');
    assert.equal(told['origin'], 'https://cloud.example');
  });

  it('its own address for a Host header that is no host', async () => {
    const told = await facts({}, { Host: 'a"b<c' });
    assert.match(told['origin'] ?? '', /^http:\/\/127\.0\.0\.1:\d+$/);
  });
});

describe('TrustedProxies', () => {
  it('refuses what is neither an address, a range nor a known word', () => {
    for (const text of ['nginx', '10.0.0.0/33', '10.0.0', '::1/129', '1.2.3.4/8/9']) {
      assert.throws(() => TrustedProxies.parse(text), HoldfastError, text);
    }
  });

  it('knows IPv4 and IPv6 ranges', () => {
    const proxies = TrustedProxies.parse('10.0.0.0/8, fd00::/8, 192.0.2.7');
    const inside = ['10.1.2.3', 'fd00::1', '192.0.2.7'];
    const outside = ['11.0.0.1', 'fe00::1', '192.0.2.8', 'nonsense'];
    assert.deepEqual(inside.map((address) => proxies.has(address)), [true, true, true]);
    assert.deepEqual(outside.map((address) => proxies.has(address)), [false, false, false, false]);
  });
});

it('HttpServer counts by route, kind of method and kind of status', async () => {
  const metrics = new Metrics();
  const server = await open(async ({ res, path }) => {
    res.writeHead(path === '/bad' ? 404 : 200).end();
  }, { metrics });
  for (const path of ['/', '/', '/bad']) await (await fetch(server.url + path)).text();
  await (await fetch(server.url, { method: 'DELETE' })).text();
  while (server.inFlight > 0) await turn();
  const text = await metrics.text();
  const line = (method: string, status: string, count: number): string =>
    `holdfast_http_requests_total{route="all",method="${method}",status="${status}"} ${count}\n`;
  for (const wanted of [line('read', '2xx', 2), line('read', '4xx', 1), line('write', '2xx', 1)]) {
    assert.ok(text.includes(wanted), `${wanted} in ${text}`);
  }
  assert.match(text, /seconds_count\{route="all",method="read"\} 3\n/);
});
