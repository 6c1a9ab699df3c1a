import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCall, runDownload, runGet, runPut, runUpload } from './loops.ts';
import { runTus } from './tus-loop.ts';
import type { Target } from './jobs.ts';

// A small file server of the kind that the bench measures, with faults on demand.
const files = new Map<string, Buffer>();
let fault: 'none' | 'flip' | 'cut' | 'close' = 'none';

function answerGet(path: string, res: ServerResponse): void {
  const stored = files.get(path);
  if (stored === undefined) {
    res.writeHead(404).end();
    return;
  }
  const bytes = Buffer.from(fault === 'cut' ? stored.subarray(1) : stored);
  if (fault === 'flip') bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  res.end(bytes);
}

function serve(req: IncomingMessage, res: ServerResponse): void {
  const pieces: Buffer[] = [];
  req.on('data', (piece: Buffer) => pieces.push(piece));
  req.on('end', () => {
    if (fault === 'close') res.setHeader('Connection', 'close');
    const path = req.url ?? '';
    if (req.headers['x-user'] !== 'me') {
      res.writeHead(401).end();
    } else if (req.method === 'POST') {
      const name = /name (\S+)$/.exec(String(req.headers['upload-metadata']))?.[1] ?? '';
      res.writeHead(201, { Location: `/root/up/${name}` }).end();
    } else if (req.method === 'PATCH') {
      files.set(path, Buffer.concat(pieces));
      res.writeHead(204).end();
    } else if (req.method === 'PUT') {
      files.set(path, Buffer.concat(pieces));
      res.writeHead(201).end();
    } else if (req.method === 'GET') {
      answerGet(path, res);
    } else {
      res.writeHead(207).write('<a/><b/>');
      res.end('<a/>');
    }
  });
}

describe('the load client', () => {
  const server = createServer(serve);
  let target: Target;

  before(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    target = { host: '127.0.0.1', port, root: '/root/', headers: 'X-User: me\r\n' };
  });
  after(() => void server.close());

  const cell = { folder: 'dir', connectionCount: 3, salt: 5, timeLimitMs: 10_000 };

  it('puts as many different files as it was told, and gets them back', async () => {
    const put = await runPut({ ...cell, kind: 'put', target, sizeBytes: 1000, countMax: 50 });
    assert.deepEqual([put.count, put.errorCount, put.reconnectCount], [50, 0, 0]);
    const bodies = new Set([...files.values()].map((bytes) => bytes.toString('hex')));
    assert.equal(bodies.size, 50);
    assert.ok(files.has('/root/dir/f0000000049'));
    const job = { ...cell, kind: 'get', target, sizeBytes: 1000, fileCount: 50 } as const;
    const get = await runGet({ ...job, timeLimitMs: 100 });
    assert.ok(get.count > 0);
    assert.equal(get.errorCount, 0);
  });

  it('puts files by tus, each with two requests on one connection', async () => {
    const { folder: _, ...rest } = cell;
    const put = await runTus({
      ...rest, kind: 'tus', target, parentId: '7', sizeBytes: 1000, countMax: 20,
    });
    assert.deepEqual([put.count, put.errorCount, put.reconnectCount], [20, 0, 0]);
    const stored = [...files].filter(([path]) => path.startsWith('/root/up/'));
    assert.equal(new Set(stored.map(([, bytes]) => bytes.toString('hex'))).size, 20);
  });

  it('notices a wrong byte, a wrong length and a wrong status', async () => {
    await runPut({ ...cell, kind: 'put', target, sizeBytes: 1000, countMax: 5 });
    const job = { ...cell, kind: 'get', target, sizeBytes: 1000, fileCount: 5 } as const;
    const seen = new Map<string, string | undefined>();
    for (const kind of ['flip', 'cut'] as const) {
      fault = kind;
      seen.set(kind, (await runGet({ ...job, timeLimitMs: 50 })).errors[0]);
      fault = 'none';
    }
    assert.match(seen.get('flip') ?? '', /other bytes/);
    assert.match(seen.get('cut') ?? '', /999 of 1000 bytes/);
    const absent = await runGet({ ...job, folder: 'nowhere', timeLimitMs: 50 });
    assert.match(absent.errors[0] ?? '', /answered 404/);
    assert.equal(absent.count, 0);
  });

  it('opens a connection again that the server closes after every answer', async () => {
    fault = 'close';
    const put = await runPut({ ...cell, kind: 'put', target, sizeBytes: 10, countMax: 20 });
    fault = 'none';
    assert.deepEqual([put.count, put.errorCount], [20, 0]);
    assert.ok(put.reconnectCount >= 14);
  });

  it('streams a file up and down, and notices when it changed in between', async () => {
    const stream = { target, path: 'big', sizeBytes: 9_000_000, salt: 3 };
    assert.equal((await runUpload({ ...stream, kind: 'upload' })).errorCount, 0);
    assert.equal(files.get('/root/big')?.length, 9_000_000);
    assert.equal((await runDownload({ ...stream, kind: 'download' })).errorCount, 0);
    files.get('/root/big')?.writeUInt8(1, 20);
    const changed = await runDownload({ ...stream, kind: 'download' });
    assert.match(changed.errors[0] ?? '', /other bytes/);
  });

  it('counts what a pattern finds in the answer to a call', async () => {
    const job = { kind: 'call', target, method: 'PROPFIND', path: 'dir/' } as const;
    const answer = await runCall({ ...job, countPattern: '<a/>', count: 2 });
    assert.deepEqual([answer.statuses, answer.matchCount], [[207, 207], 2]);
    assert.deepEqual(answer.bodyBytes, [12, 12]);
  });

  it('fails a call to nobody instead of waiting', async () => {
    const nobody = { ...target, port: 1 };
    await assert.rejects(runCall({ kind: 'call', target: nobody, method: 'GET', path: '' }));
  });
});
