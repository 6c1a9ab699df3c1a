import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { ErrorKind } from '../../../base/errors.ts';
import { ManualClock, systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { errorXml, FaultProxy } from '../testing/fault-proxy.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import type { ObjectBlockStore } from './object-block-store.ts';
import type { ObjectFinding } from './object-findings.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import type { S3Options } from './s3-options.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';

const MARKER = 'holdfast-store.json';

describe('S3BlockStore and the place where it lies', () => {
  let server: StandInService;
  let options: S3Options;
  let findings: ObjectFinding[];

  before(async () => {
    server = await StandInService.start('amazon');
  });
  after(() => server.stop());
  beforeEach(() => {
    findings = [];
    const at = { endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
    const onFinding = (finding: ObjectFinding): void => void findings.push(finding);
    options = storeOptions(at, { limits: QUICK_LIMITS, onFinding });
  });

  const markerKey = (): string => `${options.prefix}${MARKER}`;
  const contents = (): [string, string][] => {
    return [...server.objects].map(([key, { bytes }]) => [key, bytes.toString('hex')]);
  };
  /** Opens, sees it fail, and that nothing was written. */
  const refused = async (more: Partial<S3Options> = {}): Promise<string | undefined> => {
    const before = contents();
    const error = await openS3BlockStore({ ...options, ...more }).catch((e: unknown) => e);
    assert.ok(isKind(error, 'conflict'), String(error));
    assert.deepEqual(contents(), before);
    return error.code;
  };

  it('is found again by its id, and by no other', async () => {
    await (await openS3BlockStore(options)).close();
    await (await openS3BlockStore({ ...options, whenEmpty: 'refuse' })).close();
    assert.equal(await refused({ storeId: 'somebody else' }), 'foreign-store');
  });

  it('is not founded where a store must be already, nor among objects of others', async () => {
    assert.equal(await refused({ whenEmpty: 'refuse' }), 'store-missing');
    server.objects.set(`${options.prefix}blocks/stray`, { bytes: Buffer.from('x'), label: '' });
    assert.equal(await refused(), 'prefix-not-empty');
  });

  it('refuses a newer format, a damaged marker and one of something else', async () => {
    await (await openS3BlockStore(options)).close();
    const marker = server.objects.get(markerKey());
    assert.ok(marker !== undefined);
    const right = marker.bytes.toString();
    const write = (text: string): void => {
      marker.bytes = Buffer.from(text);
    };
    write(right.replace('"version":1', '"version":3'));
    assert.equal(await refused(), 'newer-format');
    for (const wrong of [right.replace('store-under', 'store-undes'), '{}', '', '[1]', 'null']) {
      write(wrong === '' ? ' ' : wrong);
      assert.equal(await refused(), 'marker-damaged', wrong);
    }
    write(right);
    await (await openS3BlockStore(options)).close();
  });

  it('takes no absence for granted when its marker is gone, and stops writing', async () => {
    const clock = new ShiftedClock();
    const store = await openS3BlockStore({ ...options, clock });
    await store.counted;
    const block = Block.of([Buffer.from('here before')]);
    await store.put(block);
    const kept = new Map(server.objects);
    server.objects.clear();
    const gone = (error: unknown): boolean => {
      return error instanceof HoldfastError && error.kind === 'unavailable' &&
        error.code === 'store-gone';
    };
    await assert.rejects(store.find(block.id), gone);
    await assert.rejects(store.get(block.id), gone);
    await assert.rejects(collect(store), gone);
    assert.equal(store.state().refusesWrites, 'failed');
    await assert.rejects(store.put(Block.of([Buffer.from('new')])), gone);
    assert.deepEqual(findings, [{ kind: 'store-replaced', code: 'store-gone' }]);
    for (const [key, value] of kept) server.objects.set(key, value);
    await store.put(Block.of([Buffer.from('new')]));
    assert.equal(store.state().refusesWrites, undefined);
    await store.close();
  });

  it('looks at its marker again before it puts, when it has not for a while', async () => {
    const clock = new ShiftedClock();
    const store = await openS3BlockStore({ ...options, clock });
    await store.counted;
    server.objects.delete(markerKey());
    clock.shiftMs = 60_000;
    const put = store.put(Block.of([Buffer.from('into nowhere')]));
    await assert.rejects(put, (error) => isKind(error, 'unavailable'));
    const keys = [...server.objects.keys()].filter((key) => key.startsWith(options.prefix ?? ''));
    assert.deepEqual(keys, []);
    await store.close();
  });

  it('says in the message what to do about each refusal of the service', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const refusals: [number, string, ErrorKind, string, RegExp][] = [
      [403, 'AccessDenied', 'unavailable', 'access-denied', /Allow this access key/],
      [403, 'InvalidAccessKeyId', 'unavailable', 'credentials-refused', /access_key_id/],
      [403, 'SignatureDoesNotMatch', 'unavailable', 'credentials-refused', /secret_access_key/],
      [403, 'RequestTimeTooSkewed', 'unavailable', 'clock-wrong', /Set the clock/],
      [400, 'ExpiredToken', 'unavailable', 'credentials-expired', /Give new ones/],
      [404, 'NoSuchBucket', 'unavailable', 'bucket-missing', /Create it/],
      [301, 'PermanentRedirect', 'unavailable', 'region-wrong', /region/],
      [400, 'AuthorizationHeaderMalformed', 'unavailable', 'region-wrong', /region/],
      [404, 'SomethingElse', 'unavailable', 'endpoint-wrong', /endpoint/],
      [507, 'StorageFull', 'full', 'service-full', /no room/],
      [403, 'QuotaExceeded', 'full', 'service-full', /quota/],
      [501, 'NotImplemented', 'unavailable', 'service-refused', /NotImplemented/],
    ];
    try {
      for (const [status, word, kind, code, message] of refusals) {
        proxy.heal();
        const from = proxy.seen.length;
        proxy.spoil({ fault: 'answer', answer: { status, body: errorXml(word) } });
        const open = openS3BlockStore({ ...options, endpoint: proxy.url });
        const error = await open.catch((e: unknown) => e);
        assert.ok(error instanceof HoldfastError, word);
        const { kind: ofKind, code: withCode } = error;
        assert.deepEqual([ofKind, withCode], [kind, code], word);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, new RegExp(STAND_IN_KEY.secretAccessKey));
        assert.equal(proxy.seen.length - from, 1, `${word} is not asked twice`);
      }
    } finally {
      await proxy.close();
    }
  });

  it('learns why a question without a body in its answer was refused', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const store = await openS3BlockStore({ ...options, endpoint: proxy.url });
    await store.counted;
    try {
      const body = errorXml('InvalidAccessKeyId');
      proxy.spoil({ fault: 'answer', path: /blocks/, answer: { status: 403, body } });
      const block = Block.of([Buffer.from('x')]);
      for (const call of [store.find(block.id), store.put(block)]) {
        await assert.rejects(call, (error) => {
          return error instanceof HoldfastError && error.code === 'credentials-refused';
        });
      }
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('is full when the service says so, and tries again after a while', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    const clock = new ShiftedClock();
    const store = await openS3BlockStore({ ...options, clock, endpoint: proxy.url });
    await store.counted;
    try {
      const body = errorXml('QuotaExceeded');
      proxy.spoil({ fault: 'answer', method: 'PUT', times: 1, answer: { status: 403, body } });
      const block = Block.of([Buffer.from('too much')]);
      await assert.rejects(store.put(block), (error) => isKind(error, 'full'));
      assert.equal(store.state().refusesWrites, 'full');
      clock.shiftMs = 40_000;
      assert.equal(store.state().refusesWrites, undefined);
      await store.put(block);
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('is busy when too many bytes or too many reads wait, and takes them later', async () => {
    const limits = { queueBytesMax: 100, putsAtOnceMax: 1, readsAtOnceMax: 1, readsWaitingMax: 1 };
    const store = await openS3BlockStore({ ...options, limits: { ...QUICK_LIMITS, ...limits } });
    await store.counted;
    const [a, b, c] = ['a', 'b', 'c'].map((text) => Block.of([Buffer.alloc(50, text)]));
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const puts = [store.put(a), store.put(b)];
    assert.equal(store.state().queuedBytes, 100);
    await assert.rejects(store.put(c), (error) => isKind(error, 'busy'));
    await store.put(a); // It is on its way already: nothing more to wait for.
    await Promise.all(puts);
    await store.put(c);
    const reads = [store.get(a.id), store.get(b.id)];
    await assert.rejects(store.get(c.id), (error) => isKind(error, 'busy'));
    await Promise.all(reads);
    assert.ok((await store.get(c.id)).equals(Buffer.alloc(50, 'c')));
    await store.close();
  });

  it('does not begin a put that nobody waits for any more', async () => {
    const limits = { ...QUICK_LIMITS, putsAtOnceMax: 1 };
    const store = await openS3BlockStore({ ...options, limits });
    await store.counted;
    const [a, b] = ['first', 'second'].map((text) => Block.of([Buffer.from(text)]));
    assert.ok(a !== undefined && b !== undefined);
    const first = store.put(a);
    const aborts = [new AbortController(), new AbortController()];
    const waiting = aborts.map(({ signal }) => store.put(b, signal));
    const reason = new Error('gone');
    for (const [at, abort] of aborts.entries()) {
      abort.abort(reason);
      await assert.rejects(waiting[at] as Promise<void>, (error) => error === reason);
    }
    await first;
    assert.equal(await store.find(b.id), undefined);
    assert.equal(store.state().queuedBytes, 0);
    await store.close();
  });

  it('tells of what lies among the blocks and is none, and lists the others', async () => {
    const store = await openS3BlockStore(options);
    await store.counted;
    const block = Block.of([Buffer.from('a block')]);
    await store.put(block);
    server.objects.set(`${options.prefix}blocks/notes.txt`, { bytes: Buffer.from('x'), label: '' });
    assert.deepEqual(await collect(store), [block.id]);
    assert.deepEqual(findings, [{ kind: 'foreign-object' }]);
    await store.close();
  });

  it('refuses settings that cannot be right before it asks anybody', async () => {
    const wrong: Partial<S3Options>[] = [
      { bucket: 'No Capitals' }, { bucket: 'a/b' }, { prefix: 'no-slash' }, { prefix: '../' },
      { prefix: '/x/' }, { endpoint: 'nowhere' }, { endpoint: 'ftp://host' }, { region: 'a b' },
      { endpoint: 'https://host/path' }, { endpoint: 'https://user@host' },
      { endpoint: 'http://storage.example.org' },
    ];
    for (const more of wrong) {
      const open = openS3BlockStore({ ...options, ...more });
      await assert.rejects(open, (error) => isKind(error, 'invalid'), JSON.stringify(more));
    }
  });
});

/** The system's clock, and what a test adds to it. */
class ShiftedClock extends ManualClock {
  shiftMs = 0;

  constructor() {
    super(0);
  }

  override now(): number {
    return systemClock.now();
  }

  override monotonic(): number {
    return systemClock.monotonic() + this.shiftMs;
  }

  override after(delayMs: number, act: () => void): () => void {
    return systemClock.after(delayMs, act);
  }
}

async function collect(store: ObjectBlockStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of store.list()) ids.push(id);
  return ids;
}
