import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../base/errors.ts';
import { encodePhc, parsePhc } from './phc.ts';

// Published with the reference implementation of argon2 (version 0x13, password and salt as given).
const VECTORS = [
  {
    password: 'password', salt: 'somesalt',
    phc: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  },
  {
    password: 'password', salt: 'somesalt',
    phc: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  },
  {
    password: 'password', salt: 'somesalt',
    phc: '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
  },
];

const SALT = 'c29tZXNhbHQ';
const HASH = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

describe('PHC strings of argon2id', () => {
  for (const { password, salt, phc } of VECTORS) {
    it(`agree with the published ${phc.slice(0, 34)}`, () => {
      const parsed = parsePhc(phc);
      assert.equal(parsed.salt.toString(), salt);
      const { memoryKib: memory, passes, parallelism } = parsed.cost;
      const hash = argon2Sync('argon2id', {
        message: password, nonce: salt, memory, passes, parallelism, tagLength: 32,
      });
      assert.deepEqual(parsed.hash, hash);
      assert.equal(encodePhc({ cost: parsed.cost, salt: Buffer.from(salt), hash }), phc);
    });
  }

  it('come back as they were', () => {
    const bytes = (minLength: number) => fc.uint8Array({ minLength, maxLength: 64 });
    const cost = fc.record({
      memoryKib: fc.integer({ min: 128, max: 1024 * 1024 }),
      passes: fc.integer({ min: 1, max: 64 }),
      parallelism: fc.integer({ min: 1, max: 16 }),
    }, { noNullPrototype: true });
    fc.assert(fc.property(cost, bytes(8), bytes(16), (made, salt, hash) => {
      const wanted = { cost: made, salt: Buffer.from(salt), hash: Buffer.from(hash) };
      assert.deepEqual(parsePhc(encodePhc(wanted)), wanted);
    }), { numRuns: 200 });
  });

  const refused: Record<string, string> = {
    'nothing': '',
    'another kind of argon2': `$argon2i$v=19$m=256,t=2,p=1$${SALT}$${HASH}`,
    'another version': `$argon2id$v=16$m=256,t=2,p=1$${SALT}$${HASH}`,
    'no version': `$argon2id$m=256,t=2,p=1$${SALT}$${HASH}`,
    'another order': `$argon2id$v=19$t=2,m=256,p=1$${SALT}$${HASH}`,
    'no hash': `$argon2id$v=19$m=256,t=2,p=1$${SALT}`,
    'a short salt': `$argon2id$v=19$m=256,t=2,p=1$c29tZQ$${HASH}`,
    'a short hash': `$argon2id$v=19$m=256,t=2,p=1$${SALT}$c29tZXNhbHQ`,
    'padding': `$argon2id$v=19$m=256,t=2,p=1$${SALT}=$${HASH}`,
    'bits beyond the last byte': `$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$${HASH}`,
    'memory beyond the limit': `$argon2id$v=19$m=9999999,t=2,p=1$${SALT}$${HASH}`,
    'less memory than the lanes need': `$argon2id$v=19$m=15,t=2,p=2$${SALT}$${HASH}`,
    'no passes': `$argon2id$v=19$m=256,t=0,p=1$${SALT}$${HASH}`,
    'a line more': `$argon2id$v=19$m=256,t=2,p=1$${SALT}$${HASH}\n`,
  };
  for (const [what, text] of Object.entries(refused)) {
    it(`are refused with ${what}, and not repeated in the message`, () => {
      assert.throws(() => parsePhc(text), (error) => {
        assert.ok(isKind(error, 'corrupt'));
        return text === '' || !JSON.stringify([error, error.message]).includes(text.trim());
      });
    });
  }
});
