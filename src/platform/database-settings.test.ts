import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingError } from './config/setting.ts';
import {
  databaseSlice, formatDatabaseUrl, parseDatabaseUrl, readDatabaseSecrets,
} from './database-settings.ts';
import type { DatabaseSettings } from './database-settings.ts';

const DEFAULTS: DatabaseSettings = {
  url: undefined, passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: false,
  accountsAgeMs: 0, returnAfterMs: 60_000, schemaUser: undefined, schemaPasswordPath: undefined,
};

describe('The address of a database', () => {
  it('has a user, hosts with or without a port, and a database', () => {
    const found = parseDatabaseUrl('mariadb://hold-fast@db1,db2.example.org:3307,[fd00::1]/cl_1');
    assert.deepEqual(found, {
      user: 'hold-fast', database: 'cl_1',
      hosts: [
        { host: 'db1', port: 3306 }, { host: 'db2.example.org', port: 3307 },
        { host: 'fd00::1', port: 3306 },
      ],
    });
    assert.equal(formatDatabaseUrl(found),
      'mariadb://hold-fast@db1:3306,db2.example.org:3307,[fd00::1]:3306/cl_1');
    assert.deepEqual(parseDatabaseUrl(formatDatabaseUrl(found)), found);
    assert.equal(parseDatabaseUrl('mysql://a@127.0.0.1/b')?.database, 'b');
  });

  it('is that of the files when it is empty', () => {
    assert.equal(parseDatabaseUrl(' '), undefined);
    assert.equal(formatDatabaseUrl(undefined), '');
  });

  it('holds no password, and what was said is not repeated', () => {
    const wrong = ['mariadb://a:hunter2@db/h', 'mariadb://a:hun@ter2@db/h', 'mysql://a:@db/h'];
    for (const said of wrong) {
      assert.throws(() => parseDatabaseUrl(said), (error) => error instanceof SettingError
        && error.message.includes('database.password_path') && !error.message.includes('hun'));
    }
  });

  it('is refused when anything about it is not as it must be', () => {
    const wrong = [
      'postgres://a@db/h', 'db/h', 'mariadb://db/h', 'mariadb://@db/h', 'mariadb://a b@db/h',
      'mariadb://a@db', 'mariadb://a@db/', 'mariadb://a@db/h?ssl=0', 'mariadb://a@db/h/i',
      'mariadb://a@db/h;drop', 'mariadb://a@/h', 'mariadb://a@db,/h', 'mariadb://a@db:0/h',
      'mariadb://a@db:99999/h', 'mariadb://a@[db]/h', 'mariadb://a@-db/h', 'MARIADB://a@db/h',
      `mariadb://a@${Array.from({ length: 17 }, (_, n) => `db${n}`).join(',')}/h`,
    ];
    for (const said of wrong) assert.throws(() => parseDatabaseUrl(said), SettingError, said);
  });

  it('leads to another machine only with encryption, or by a word', () => {
    const check = (values: Partial<typeof DEFAULTS> & { said: string; isUnencrypted?: boolean }) =>
      databaseSlice.check?.({ ...DEFAULTS, ...values, url: parseDatabaseUrl(values.said) })
        .map(({ key }) => key);
    assert.deepEqual(check({ said: 'mariadb://a@127.0.0.1,localhost/h' }), []);
    assert.deepEqual(check({ said: 'mariadb://a@127.0.0.1,db/h' }), ['database.url']);
    assert.deepEqual(check({ said: 'mariadb://a@db/h', isUnencrypted: true }), []);
    assert.deepEqual(check({ said: '' }), []);
  });

  it('has a second user for tables, who is another one', () => {
    const check = (said: string, values: Partial<DatabaseSettings>) =>
      databaseSlice.check?.({ ...DEFAULTS, ...values, url: parseDatabaseUrl(said) })
        .map(({ key }) => key);
    const url = 'mariadb://app@127.0.0.1/h';
    assert.deepEqual(check(url, { schemaUser: 'ddl', schemaPasswordPath: '/p' }), []);
    assert.deepEqual(check('', { schemaUser: 'ddl', tlsCaPath: '/ca' }), []); // Of added shards.
    assert.deepEqual(check(url, { schemaUser: 'app' }), ['database.schema_user']);
    assert.deepEqual(check(url, { schemaPasswordPath: '/p' }), ['database.schema_password_path']);
    const { schemaUser } = databaseSlice.settings;
    assert.throws(() => schemaUser.parse('a b'), SettingError);
  });
});

describe('Files beside the address of a database', () => {
  it('give the password without the end of its line, or say what is wrong', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
    try {
      const passwordPath = join(folder, 'password');
      const read = async (text: string) => {
        await writeFile(passwordPath, text);
        return (await readDatabaseSecrets({ ...DEFAULTS, passwordPath })).password;
      };
      assert.equal(await read('päss word \n'), 'päss word ');
      assert.equal(await read('x'), 'x');
      const both = await readDatabaseSecrets({
        ...DEFAULTS, schemaUser: 'ddl', schemaPasswordPath: passwordPath,
      });
      assert.deepEqual(both.schemaUser, { user: 'ddl', password: 'x' });
      for (const wrong of ['', '\n', 'a\nb\n']) {
        await assert.rejects(read(wrong), { code: 'database-secret' });
      }
      await rm(passwordPath);
      await assert.rejects(readDatabaseSecrets({ ...DEFAULTS, passwordPath }), {
        kind: 'invalid', message: /database\.password_path names cannot be read/,
      });
      await writeFile(passwordPath, 'no certificate');
      await assert.rejects(
        readDatabaseSecrets({ ...DEFAULTS, tlsCaPath: passwordPath }),
        { message: /no certificate/ });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
