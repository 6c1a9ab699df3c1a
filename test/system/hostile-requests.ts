/** Requests that no honest client sends, each with the answers that are right. */

export interface HostileRequest {
  readonly name: string;
  /** Sent byte for byte, as Latin-1. */
  readonly bytes: string | readonly string[];
  /** Right statuses; undefined: the connection may also be closed without an answer. */
  readonly statuses: readonly (number | undefined)[];
}

interface Parts {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly version?: string;
}

type Statuses = HostileRequest['statuses'];

function entry(name: string, bytes: string, statuses: Statuses): HostileRequest {
  return { name, bytes, statuses };
}

const CUT = undefined;
/** What a server may say to a request that is wrong in itself. */
const BAD = [400, 403, 404, 405, 409, 411, 413, 414, 415, 417, 422, 431, 501, 505];

export class HostileRequests {
  readonly #authorization: string;
  readonly #root: string;

  constructor(authorization: string, root: string) {
    this.#authorization = authorization;
    this.#root = root;
  }

  /** All of them. None may store anything. */
  all(): HostileRequest[] {
    return [
      ...this.#paths(), ...this.#xml(), ...this.#headers(), ...this.#lengths(), ...this.#framing(),
      ...this.#methods(), ...this.#destinations(), ...this.#davHeaders(),
    ];
  }

  message({ method = 'PUT', target, headers = [], body, version = 'HTTP/1.1' }: Parts): string {
    const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
    const lines = [
      `${method} ${target} ${version}`, 'Host: 127.0.0.1', `Authorization: ${this.#authorization}`,
      'Connection: close', ...length, ...headers,
    ];
    return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
  }

  #paths(): HostileRequest[] {
    const deep = Array.from({ length: 400 }, () => 'd').join('/');
    const targets: readonly (readonly [string, string])[] = [
      ['a path that climbs out', '../../../../etc/passwd'],
      ['a path that climbs out, encoded', '%2e%2e/%2e%2e/%2e%2e/etc/passwd'],
      ['a path that climbs out, half encoded', '.%2e/%2e./etc/passwd'],
      ['a path that climbs out behind an encoded slash', '..%2f..%2f..%2fetc%2fpasswd'],
      ['an encoded slash inside a name', 'a%2fb.txt'],
      ['a name of one dot, encoded', '%2e'],
      ['a name of two dots, encoded', '%2E%2E'],
      ['a NUL in a name', 'nul%00.txt'],
      ['an overlong slash in UTF-8', '..%c0%af..%c0%afpasswd'],
      ['an overlong dot in UTF-8', '%c0%ae%c0%ae/passwd'],
      ['a lone surrogate in UTF-8', 'surrogate%ed%a0%80.txt'],
      ['a lone continuation byte', 'lone%80byte'],
      ['a byte that UTF-8 never has', '%ff%fe'],
      ['a percent sign with no digits', 'bad%zz.txt'],
      ['a percent sign at the end', 'bad%'],
      ['one digit behind a percent sign', 'bad%4'],
      ['a name of 300 bytes', 'n'.repeat(300)],
      ['a name of 256 bytes in 86 characters', '%e6%97%a5'.repeat(86)],
      ['a path that is 400 folders deep', deep],
      ['a path of 20,000 characters', `${'p'.repeat(200)}/`.repeat(100)],
      ['an unencoded byte above ASCII that is no UTF-8', 'caf\xe9.txt'],
    ];
    return targets.map(([name, path]) => ({
      name, bytes: this.message({ target: this.#root + path, body: 'stored?' }), statuses: BAD,
    }));
  }

  #xml(): HostileRequest[] {
    const entities = Array.from({ length: 20 }, (_, n) => {
      return `<!ENTITY a${n + 1} "${`&a${n};`.repeat(10)}">`;
    });
    const bomb = `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "aaaaaaaaaa">${entities.join('')}]>`
      + '<propfind xmlns="DAV:"><prop><x>&a20;</x></prop></propfind>';
    const huge = `<propfind xmlns="DAV:"><prop>${'<x/>'.repeat(7_500_000)}</prop></propfind>`;
    const file = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
      + '<propfind xmlns="DAV:"><prop><x>&f;</x></prop></propfind>';
    const bodies: readonly (readonly [string, string])[] = [
      ['XML that ends too early', '<propfind xmlns="DAV:"><prop>'],
      ['XML with crossed elements', '<a xmlns="DAV:"><b></a></b>'],
      ['XML with a prefix that nobody declared', '<d:propfind><d:prop/></d:propfind>'],
      ['an entity bomb', bomb],
      ['an entity that reads a file', file],
      ['no XML at all', '{"json": true}'],
      ['a NUL inside XML', '<propfind xmlns="DAV:"><prop>\0</prop></propfind>'],
      ['XML that is not UTF-8', '<propfind xmlns="DAV:"><prop><x>\xff\xfe</x></prop></propfind>'],
      ['elements nested 50,000 deep', '<a>'.repeat(50_000)],
      ['two roots', '<propfind xmlns="DAV:"><allprop/></propfind><propfind xmlns="DAV:"/>'],
      ['an element of another root', '<lockinfo xmlns="DAV:"/>'],
      ['XML of 30 MB', huge],
      ['one attribute twice', '<propfind xmlns="DAV:" a="1" a="2"><allprop/></propfind>'],
    ];
    return bodies.flatMap(([name, body]) => ['PROPFIND', 'PROPPATCH'].map((method) => ({
      name: `${name}, to ${method}`,
      bytes: this.message({ method, target: this.#root, headers: ['Depth: 0'], body }),
      statuses: body.length > 1_000_000 ? [...BAD, CUT] : BAD,
    })));
  }

  #headers(): HostileRequest[] {
    const target = `${this.#root}headers.txt`;
    const flood = Array.from({ length: 3_000 }, (_, n) => `X-${n}: y`);
    const with_ = (...headers: string[]): string => {
      return this.message({ target, headers, body: 'stored?' });
    };
    return [
      entry('one header of 200 kB', with_(`X-Big: ${'h'.repeat(200_000)}`), [431, CUT]),
      entry('3,000 headers', with_(...flood), [431, CUT]),
      entry('200 short headers', with_(...flood.slice(0, 200)), [431, CUT]),
      entry('a header name with a blank', with_('Bad Name: x'), [400, CUT]),
      entry('a folded header', with_('X-A: one\r\n two'), [400, CUT]),
      entry('a NUL in a header', with_('X-A: a\0b'), [400, CUT]),
      entry('a bare CR in a header', with_('X-A: a\rb'), [400, CUT]),
      entry('no Host in HTTP/1.1', `GET ${target} HTTP/1.1\r\nConnection: close\r\n\r\n`, [400]),
      entry('two Hosts',
        this.message({ method: 'GET', target, headers: ['Host: elsewhere'] }), [400, CUT, 404]),
      entry('an address of 100 kB',
        this.message({ target: `/${'u'.repeat(100_000)}`, body: 'x' }), [414, 431, CUT]),
    ];
  }

  #lengths(): HostileRequest[] {
    const target = `${this.#root}length.txt`;
    const bare = (...headers: string[]): string => this.message({ target, headers });
    return [
      entry('a negative length', `${bare('Content-Length: -5')}12345`, [400, CUT]),
      entry('a length that is no number', `${bare('Content-Length: five')}12345`, [400, CUT]),
      entry('a length in hexadecimal', `${bare('Content-Length: 0x5')}12345`, [400, CUT]),
      entry('a length with a plus', `${bare('Content-Length: +5')}12345`, [400, CUT]),
      entry('a length beyond 64 bits',
        `${bare(`Content-Length: ${'9'.repeat(30)}`)}12345`, [400, 413, 507, CUT]),
      entry('two different lengths',
        `${bare('Content-Length: 5', 'Content-Length: 6')}123456`, [400, CUT]),
      entry('more announced than sent', `${bare('Content-Length: 100')}only this`, [400, 408, CUT]),
      entry(
        'a part of a file',
        this.message({ target, headers: ['Content-Range: bytes 0-4/10'], body: '12345' }),
        [400, 501],
      ),
      entry('an expectation that nobody knows',
        this.message({ target, headers: ['Expect: the-unexpected'], body: '12345' }), [417]),
      entry(
        'a body in a coding that nobody knows',
        this.message({ target, headers: ['Content-Encoding: rot13'], body: '12345' }),
        [400, 415, 501],
      ),
    ];
  }

  #framing(): HostileRequest[] {
    const target = `${this.#root}framing.txt`;
    const chunked = (body: string, ...more: string[]): string => {
      return this.message({ target, headers: ['Transfer-Encoding: chunked', ...more] }) + body;
    };
    const whole = '5\r\n12345\r\n0\r\n\r\n';
    return [
      entry('length and chunks at once', chunked(whole, 'Content-Length: 5'), [400, CUT]),
      entry('chunked twice', chunked(whole, 'Transfer-Encoding: chunked'), [400, CUT]),
      entry(
        'chunked, but not last',
        this.message({ target, headers: ['Transfer-Encoding: chunked, gzip'] }) + whole,
        [400, 501, CUT],
      ),
      entry(
        'a coding that hides chunked',
        this.message({ target, headers: ['Transfer-Encoding: xchunked'] }) + whole,
        [400, 501, CUT],
      ),
      entry('a chunk size that is no number', chunked('zz\r\n12345\r\n0\r\n\r\n'), [400, CUT]),
      entry('a negative chunk size', chunked('-5\r\n12345\r\n0\r\n\r\n'), [400, CUT]),
      entry('a chunk size beyond 64 bits', chunked(`${'f'.repeat(20)}\r\n12345\r\n`), [400, CUT]),
      entry('a chunk shorter than it says', chunked('5\r\n123\r\n0\r\n\r\n'), [400, 408, CUT]),
      entry('chunks without an end', chunked('5\r\n12345\r\n'), [400, 408, CUT]),
      entry('a chunk extension of 100 kB',
        chunked(`5;x=${'e'.repeat(100_000)}\r\n12345\r\n0\r\n\r\n`), [400, 413, CUT]),
      entry('a request in the old protocol 0.9', `GET ${target}\r\n\r\n`, [400, 401, 505, CUT]),
      entry('a version that does not exist',
        this.message({ target, version: 'HTTP/9.9', body: 'x' }), [400, 505, CUT]),
      entry('bytes at random', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400, CUT]),
    ];
  }

  #methods(): HostileRequest[] {
    const target = `${this.#root}method.txt`;
    const cases: readonly (readonly [string, string, readonly (number | undefined)[]])[] = [
      ['a method that nobody knows', 'FROB', [400, 405, 501, CUT]],
      ['a method in small letters', 'put', [400, 405, 501, CUT]],
      ['TRACE', 'TRACE', [400, 405, 501, CUT]],
      ['PATCH of a file that is not there', 'PATCH', [400, 404, 405, 415]],
      ['POST to a file', 'POST', [400, 403, 404, 405, 415, 501]],
      ['a method of 5,000 letters', 'M'.repeat(5_000), [400, 405, 431, 501, CUT]],
    ];
    const absolute = (authority: string): string => this.message({
      method: 'GET', target: `http://${authority}${this.#root}there.txt`,
    });
    const made = cases.map(([name, method, statuses]) => {
      return { name, bytes: this.message({ method, target, body: 'x' }), statuses };
    });
    return [
      ...made,
      entry('CONNECT',
        this.message({ method: 'CONNECT', target: '127.0.0.1:22' }), [400, 404, 405, 501, CUT]),
      entry('an address of another server', absolute('elsewhere.example'), [200, ...BAD, 421]),
      entry('an address without a port', absolute('127.0.0.1:x'), [200, ...BAD, 421]),
      entry('an address with a password in it', absolute('a:b@127.0.0.1'), [200, ...BAD, 421]),
      entry('a star for a PUT', this.message({ target: '*', body: 'x' }), BAD),
      entry('an address without a slash',
        this.message({ target: 'dav/x.txt', body: 'x' }), [...BAD, CUT]),
    ];
  }

  #destinations(): HostileRequest[] {
    const to = (destination: string, method = 'MOVE'): string => this.message({
      method, target: `${this.#root}there.txt`, headers: [`Destination: ${destination}`],
    });
    const statuses = [...BAD, 412, 502];
    return [
      entry('no destination',
        this.message({ method: 'MOVE', target: `${this.#root}there.txt` }), statuses),
      entry('a destination on another server', to('http://elsewhere.example/dav/x.txt'), statuses),
      entry('a destination of another user', to('/remote.php/dav/files/bob/x.txt'), statuses),
      entry('a destination that climbs out', to(`${this.#root}../../../../../tmp/x`), statuses),
      entry('a destination that climbs out, encoded', to(`${this.#root}%2e%2e%2fx`), statuses),
      entry('a destination with a NUL', to(`${this.#root}x%00y`), statuses),
      entry('a destination with a bad percent', to(`${this.#root}x%zz`), statuses),
      entry('a destination with another scheme', to('file:///etc/passwd'), statuses),
      entry('a copy onto itself', to(`${this.#root}there.txt`, 'COPY'), statuses),
      entry('a destination outside the files', to('/status.php'), statuses),
    ];
  }

  #davHeaders(): HostileRequest[] {
    const statuses = [...BAD, 412];
    const with_ = (method: string, header: string, target = 'there.txt'): string => this.message({
      method, target: this.#root + target, headers: [header],
    });
    const sum = (value: string): string => this.message({
      target: `${this.#root}sum.txt`, headers: [`OC-Checksum: ${value}`], body: 'x',
    });
    const strange = [`GET ${this.#root} HTTP/1.1`, 'Host: x', 'Connection: close'];
    return [
      entry('a depth that nobody knows', with_('PROPFIND', 'Depth: 7', ''), statuses),
      entry('a condition that is no condition', with_('DELETE', 'If: (<bad'), statuses),
      entry('a condition of 20 kB',
        with_('DELETE', `If: ${'(<a:b>)'.repeat(2_800)}`), [...statuses, 431]),
      entry('a range that runs backwards is no reason to fail',
        with_('GET', 'Range: bytes=9-2'), [200, 416]),
      entry('1,000 ranges at once',
        with_('GET', `Range: bytes=${'0-1,'.repeat(1_000)}0-1`), [200, 206, 400, 416]),
      entry('a lock without a body', with_('LOCK', 'Depth: 0'), statuses),
      entry('an unlock without a token', with_('UNLOCK', 'X-A: b'), statuses),
      entry('a checksum that is none', sum('nonsense'), statuses),
      entry('a checksum that is wrong', sum(`SHA1:${'0'.repeat(40)}`), statuses),
      entry('credentials that are none',
        `${strange.join('\r\n')}\r\nAuthorization: Basic !!!\r\n\r\n`, [401]),
      entry(
        'an upload id that climbs out',
        this.message({ method: 'MKCOL', target: '/remote.php/dav/uploads/ada/%2e%2e%2fx' }),
        statuses,
      ),
    ];
  }
}
