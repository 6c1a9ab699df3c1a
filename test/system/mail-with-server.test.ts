/** Invitations by mail, from the real server to a real mail server that may misbehave. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ONE, TWO } from '../../src/mail/backends/testing/mail-certificates.ts';
import { openRawServer, TestMailServer } from '../../src/mail/backends/testing/test-mail-server.ts';
import type { TestMailServerOptions } from '../../src/mail/backends/testing/test-mail-server.ts';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';

const LOGIN = { user: 'cloud', password: 'a-mail-password' };
const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares';

interface Answer { status: number; message: string; data: Record<string, unknown> }

describe('mail', { timeout: 120_000 }, () => {
  const servers = serverForTests();
  const closing: (() => Promise<void>)[] = [];
  after(async () => {
    for (const close of closing) await close();
  });

  async function mailServer(options: TestMailServerOptions = {}): Promise<TestMailServer> {
    const server = await TestMailServer.open({ tls: ONE, login: LOGIN, ...options });
    closing.push(() => server.close());
    return server;
  }

  function settings(port: number, more: Readonly<Record<string, string>> = {}) {
    const folder = scratchFolder('mail');
    writeFileSync(join(folder, 'ca.pem'), ONE.cert);
    writeFileSync(join(folder, 'password'), `${LOGIN.password}\n`);
    return {
      HOLDFAST_MAIL_SERVER: `127.0.0.1:${port}`, HOLDFAST_MAIL_USER: LOGIN.user,
      HOLDFAST_MAIL_PASSWORD_FILE: join(folder, 'password'),
      HOLDFAST_MAIL_CA_FILE: join(folder, 'ca.pem'), HOLDFAST_MAIL_FROM: 'cloud@example.org',
      HOLDFAST_MAIL_PUBLIC_URL: 'https://cloud.example', ...more,
    };
  }

  async function ocs(
    client: DavClient, method: string, path: string, body?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const answer = await client.ask(method, `${path}${path.includes('?') ? '&' : '?'}format=json`, {
      headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
      ...(body !== undefined && { body: new URLSearchParams(body).toString() }),
    });
    const { meta, data } = (JSON.parse(answer.text) as {
      ocs: { meta: { message: string }; data: Record<string, unknown> };
    }).ocs;
    return { status: answer.status, message: meta.message, data };
  }

  const invite = (client: DavClient, shareWith: string) =>
    ocs(client, 'POST', SHARES, { path: '/plan.txt', shareType: '4', shareWith });
  const outboxOf = (data: string): number => readdirSync(join(data, 'outbox')).length;
  const sharing = async (client: DavClient): Promise<Record<string, unknown>> => {
    const { data } = await ocs(client, 'GET', '/ocs/v2.php/cloud/capabilities');
    return (data['capabilities'] as Record<string, Record<string, unknown>>)['files_sharing'] ?? {};
  };

  it('outlives kill -9 of the server, and invites once the mail server is there', async () => {
    const { port, close } = await openRawServer(() => undefined); // Takes calls and is silent.
    const server = await servers.start({ env: settings(port) });
    const ada = await server.addUser();
    await ada.put('plan.txt', 'one');
    assert.deepEqual((await sharing(ada))['sharebymail'], {
      enabled: true, send_password_by_mail: false, upload_files_drop: { enabled: true },
      password: { enabled: true, enforced: false }, expire_date: { enabled: true },
    });
    const made = await invite(ada, 'ben@example.org');
    assert.equal(made.status, 200, made.message);
    const { share_type: type, share_with: receiver, mail_state: state, token } = made.data;
    assert.deepEqual([type, receiver, state], [4, 'ben@example.org', 'waiting']);
    assert.equal(outboxOf(server.data), 1);
    await server.kill();
    await close();
    assert.equal(outboxOf(server.data), 1);

    const mails = await mailServer({ port });
    await server.startAgain();
    await eventually(20_000, 'the invitation arrives', () => mails.mails.length === 1);
    const [mail] = mails.mails;
    assert.deepEqual([mail?.to, mail?.isEncrypted, mail?.user],
      [['ben@example.org'], true, LOGIN.user]);
    const text = (mail?.source ?? '').replaceAll('=\r\n', '');
    assert.ok(text.includes(`https://cloud.example/s/${String(token)}`));
    await eventually(10_000, 'the outbox is empty', () => outboxOf(server.data) === 0);
    const [share] = (await ocs(ada, 'GET', `${SHARES}/${String(made.data['id'])}`))
      .data as unknown as Record<string, unknown>[];
    assert.deepEqual([share?.['mail_send'], share?.['mail_state']], [1, 'sent']);
    assert.equal((await server.client('x', 'y').ask('GET', `/s/${String(token)}`)).status, 200);
    await ocs(ada, 'DELETE', `${SHARES}/${String(made.data['id'])}`);
    assert.equal((await server.client('x', 'y').ask('GET', `/s/${String(token)}`)).status, 404);
    assert.doesNotMatch(server.log, /example\.org|a-mail-password/);
  });

  it('that cannot be delivered is shown to who has shared, and can be sent again', async () => {
    let isKnown = false;
    const mails = await mailServer({
      onReceiver: (address) => isKnown ? undefined : [550, `nobody: ${address}`],
    });
    const server = await servers.start({ env: settings(mails.port) });
    const ada = await server.addUser();
    await ada.put('plan.txt', 'one');
    const found = await ocs(ada, 'GET',
      '/ocs/v2.php/apps/files_sharing/api/v1/sharees?search=ben@example.org&itemType=file');
    const exact = JSON.stringify(found.data['exact']);
    assert.match(exact, /"shareType":4,"shareWith":"ben@example.org"/);
    const { data } = await invite(ada, 'ben@example.org');
    const id = String(data['id']);
    const state = async (): Promise<unknown> => {
      const shares = (await ocs(ada, 'GET', SHARES)).data as unknown as Record<string, unknown>[];
      return shares[0]?.['mail_state'];
    };
    await eventually(20_000, 'it is undeliverable', async () => await state() === 'undeliverable');
    isKnown = true;
    assert.equal((await ocs(ada, 'POST', `${SHARES}/${id}/send-email`)).status, 200);
    await eventually(20_000, 'it arrives', () => mails.mails.length === 1);
    await eventually(10_000, 'it is sent', async () => await state() === 'sent');
    const ben = await server.addUser({ name: 'ben', args: ['--email', 'ben@old.example'] });
    const moved = await run(PROGRAM, [
      'user', 'email', 'ben', 'ben@home.example', '--data', server.data,
    ]);
    assert.equal(moved.code, 0, moved.stderr);
    assert.equal((await ocs(ada, 'POST', SHARES, {
      path: '/plan.txt', shareType: '0', shareWith: 'ben',
    })).status, 200);
    await eventually(20_000, 'the user is told of the share', () => mails.mails.length === 2);
    assert.deepEqual(mails.mails[1]?.to, ['ben@home.example']);
    assert.equal((await ben.get('plan.txt')).text, 'one');
    const bad = await invite(ada, 'ben@example.org\r\nBcc: eve@example.org');
    assert.equal(bad.status, 400);
    assert.match(bad.message, /not a mail address/);
    assert.doesNotMatch(server.log, /example\.org|home\.example|nobody/);
  });

  it('is off without a mail server, and says so', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    await ada.put('plan.txt', 'one');
    assert.deepEqual((await sharing(ada))['sharebymail'], { enabled: false });
    const refused = await invite(ada, 'ben@example.org');
    assert.equal(refused.status, 400);
    assert.match(refused.message, /sends no mail/);
  });

  it('can be tried at the command line, which says in plain words what is wrong', async () => {
    const ours = await mailServer();
    const theirs = await mailServer({ tls: TWO });
    const gone = await TestMailServer.open({ tls: ONE });
    await gone.close();
    const test = (env: Readonly<Record<string, string>>, to = 'me@example.org'): Promise<Outcome> =>
      run(PROGRAM, ['mail', 'test', to], { env, timeoutMs: 30_000 });
    const ends = async (
      env: Readonly<Record<string, string>>, code: number, words: RegExp,
    ): Promise<void> => {
      const outcome = await test(env);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stdout + outcome.stderr, words);
    };
    await ends(settings(ours.port), 0, /has taken the mail/);
    assert.equal(ours.mails.length, 1);
    await ends(settings(ours.port, { HOLDFAST_MAIL_USER: 'other' }), 1, /login[^]*said: 535/);
    await ends(settings(theirs.port), 1, /certificate is not trusted/);
    await ends(settings(gone.port), 1, /nothing answers/);
    const nowhere = { HOLDFAST_MAIL_SERVER: 'no-such-host.invalid:25' };
    await ends(settings(1, nowhere), 1, /name of the mail server is not known/);
    await ends({}, 2, /No mail server is set up/);
    await ends(settings(25, { HOLDFAST_MAIL_SERVER: 'mail.example.org:25',
      HOLDFAST_MAIL_SECURITY: 'plain' }), 2, /mail\.allow_plain/);
    assert.equal((await test(settings(ours.port), 'no address')).code, 2);
  });
});
