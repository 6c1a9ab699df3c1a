import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { HoldfastError } from '../../../base/errors.ts';
import { systemClock } from '../../../platform/index.ts';
import { parseSender } from '../../mail-address.ts';
import { mailNamed, testMailer } from '../../mailer.conformance.ts';
import { ONE, TWO } from '../testing/mail-certificates.ts';
import { openRawServer, TestMailServer } from '../testing/test-mail-server.ts';
import type { TestMailServerOptions } from '../testing/test-mail-server.ts';
import { SmtpMailer } from './smtp-mailer.ts';
import type { SmtpMailerOptions } from './smtp-mailer.ts';

const LOGIN = { user: 'cloud', password: 'a secret' };
const BOTH = { login: LOGIN };

function mailerTo(port: number, options: Partial<SmtpMailerOptions> = {}): SmtpMailer {
  return new SmtpMailer({
    host: '127.0.0.1', port, security: 'starttls', login: undefined, ca: ONE.cert,
    from: parseSender('Our cloud <cloud@example.org>'), clock: systemClock,
    limits: { connectMs: 400, silenceMs: 400, wholeMs: 1_500 }, ...options,
  });
}

async function serve(
  context: TestContext, options: TestMailServerOptions = {},
): Promise<TestMailServer> {
  const server = await TestMailServer.open({ tls: ONE, ...options });
  context.after(() => server.close());
  return server;
}

async function rawServer(
  context: TestContext, act: Parameters<typeof openRawServer>[0],
): Promise<number> {
  const { port, close } = await openRawServer(act);
  context.after(close);
  return port;
}

function failsWith(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.deepEqual([error.kind, error.code], [kind, code]);
    const everything = `${error.message} ${JSON.stringify(error.facts)}`;
    assert.doesNotMatch(everything, /ben|example/, 'an address must not get into a log');
    assert.equal(error.cause, undefined);
    return true;
  };
}

testMailer('SmtpMailer', async () => {
  const server = await TestMailServer.open({ tls: ONE });
  return {
    mailer: mailerTo(server.port, { limits: {} }),
    taken: () => server.mails.map(({ to, source }) => ({
      to: to.join(), subject: /^Subject: (.*)\r$/m.exec(source)?.[1] ?? '',
    })),
    close: () => server.close(),
  };
});

describe('SmtpMailer', { timeout: 120_000 }, () => {
  it('encrypts before it logs in, and sends both forms of the mail', async (context) => {
    for (const isTls of [true, false]) {
      const server = await serve(context, { ...BOTH, isTls });
      await mailerTo(server.port, { ...BOTH, security: isTls ? 'tls' : 'starttls' })
        .send(mailNamed('Grüße'));
      const [mail] = server.mails;
      assert.deepEqual([mail?.isEncrypted, mail?.user, mail?.from],
        [true, 'cloud', 'cloud@example.org']);
      const source = mail?.source ?? '';
      assert.match(source, /^From: Our cloud <cloud@example\.org>\r$/m);
      assert.match(source, /^Message-ID: <a7e1-17@example\.org>\r$/m);
      assert.match(source, /^Subject: =\?UTF-8\?/m);
      assert.match(source, /^Auto-Submitted: auto-generated\r$/m);
      assert.match(source, /text\/plain; charset=utf-8/);
      assert.match(source, /text\/html; charset=utf-8/);
    }
  });

  it('sends plain text only when told so', async (context) => {
    const server = await serve(context, { isPlain: true });
    await mailerTo(server.port, { security: 'plain' }).send(mailNamed('open'));
    assert.equal(server.mails[0]?.isEncrypted, false);
    await assert.rejects(mailerTo(server.port).send(mailNamed('closed')),
      failsWith('unavailable', 'mail-tls'));
    assert.equal(server.mails.length, 1);
  });

  it('says what is wrong with the server, and shows no secret to a stranger', async (context) => {
    const ours = await serve(context, BOTH);
    const theirs = await serve(context, { ...BOTH, tls: TWO });
    const theirsTls = await serve(context, { ...BOTH, tls: TWO, isTls: true });
    const send = (port: number, options: Partial<SmtpMailerOptions> = {}) =>
      mailerTo(port, { ...BOTH, ...options }).send(mailNamed('x'));
    const wrong = { login: { ...LOGIN, password: 'another' } };
    await assert.rejects(send(ours.port, wrong), failsWith('unavailable', 'mail-login'));
    await assert.rejects(send(ours.port, { login: undefined }),
      failsWith('unavailable', 'mail-login'));
    await assert.rejects(send(theirs.port), failsWith('unavailable', 'mail-tls'));
    await assert.rejects(send(theirsTls.port, { security: 'tls' }),
      failsWith('unavailable', 'mail-tls'));
    await assert.rejects(send(ours.port, { security: 'tls' }),
      failsWith('unavailable', 'mail-tls'));
    await assert.rejects(send(theirsTls.port), failsWith('unavailable', 'mail-silent'));
    await assert.rejects(send(25, { host: 'no-such-host.invalid' }),
      failsWith('unavailable', 'mail-dns'));
    const gone = await TestMailServer.open({ tls: ONE });
    await gone.close();
    await assert.rejects(send(gone.port), failsWith('unavailable', 'mail-refused'));
  });

  it('tells what will never be delivered from what may be later', async (context) => {
    const replies: string[] = [];
    const server = await serve(context, {
      onReceiver: (address) => address.startsWith('gone')
        ? [550, `no such user ${address}`]
        : address.startsWith('late') ? [451, 'later'] : undefined,
      onMail: ({ to }) => to[0]?.startsWith('spam') === true ? [554, 'spam'] : undefined,
    });
    const to = (name: string) => mailerTo(server.port, { onReply: (line) => replies.push(line) })
      .send(mailNamed('x', `${name}@example.org`));
    await assert.rejects(to('gone'), failsWith('denied', 'mail-undeliverable'));
    await assert.rejects(to('late'), failsWith('busy', 'mail-deferred'));
    await assert.rejects(to('spam'), failsWith('denied', 'mail-undeliverable'));
    assert.match(replies.join('\n'), /550 no such user gone@example\.org\n451 later\n554 spam/);
    assert.deepEqual(server.mails, []);
    const picky = await serve(context, { onSender: () => [553, 'not yours'] });
    await assert.rejects(mailerTo(picky.port).send(mailNamed('x')),
      failsWith('unavailable', 'mail-sender'));
  });

  it('waits for no server for ever', async (context) => {
    const silent = await rawServer(context, () => undefined);
    const strange = await rawServer(context, (socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'));
    const cut = await rawServer(context, (socket) => socket.destroy());
    const dribbling = await rawServer(context, (socket) => {
      socket.write('220 hello\r\n');
      const drip = (): void => {
        if (socket.destroyed) return;
        socket.write('250-and so on\r\n');
        systemClock.after(100, drip);
      };
      // It greets as it should, and never comes to an end with its answer to the sender.
      socket.on('data', (line) => {
        if (line.toString().startsWith('EHLO')) socket.write('250 at your service\r\n');
        else drip();
      });
    });
    const plain = { security: 'plain' } as const;
    const send = (port: number) => mailerTo(port, plain).send(mailNamed('x'));
    await assert.rejects(send(silent), failsWith('unavailable', 'mail-silent'));
    await assert.rejects(send(strange), failsWith('unavailable', 'mail-strange'));
    await assert.rejects(send(cut), failsWith('unavailable', 'mail-cut'));
    await assert.rejects(send(dribbling), failsWith('unavailable', 'mail-silent'));
    for (const hangsAt of ['receiver', 'mail'] as const) {
      const server = await serve(context, { hangsAt });
      await assert.rejects(mailerTo(server.port).send(mailNamed('x')),
        failsWith('unavailable', 'mail-silent'));
    }
  });

  it('stops in the middle when told so', async (context) => {
    const silent = await rawServer(context, () => undefined);
    const stop = new AbortController();
    const reason = new Error('stop');
    const send = mailerTo(silent, { limits: {} }).send(mailNamed('x'), stop.signal);
    stop.abort(reason);
    await assert.rejects(send, (error) => error === reason);
  });
});
