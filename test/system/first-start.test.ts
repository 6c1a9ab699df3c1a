/** From nothing to an administrator, as the person who has just installed it would go. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Browser } from '../support/browser.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import { run } from '../support/command.ts';

const LINK = /https?:\/\/\S+\/setup\S+/;
const PASSWORD = 'quite a long password';

describe('the first start', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('prints a link that creates the administrator, and works once', async () => {
    const server = await servers.start();
    const [link] = await server.command.printed(LINK, 60_000);
    const browser = new Browser();
    const page = await browser.open(link);
    assert.equal(page.status, 200, page.text);
    const [form] = page.forms;
    assert.ok(form !== undefined, page.text);
    const nameField = [...form.types].find(([, type]) => type === 'text')?.[0] ?? 'name';
    const done = await browser.submit(page, form, { [nameField]: 'grace', password: PASSWORD });
    assert.ok(done.status < 400, done.text);

    const user = server.client('grace', PASSWORD);
    assert.equal((await user.put('mine.txt', 'mine')).status, 201);
    assert.equal((await user.ask('GET', '/metrics')).status, 200);

    const again = await new Browser().open(link);
    assert.ok(again.status >= 400 || again.forms.length === 0, 'the link must not work again');
    const forced = await new Browser().submit(page, form, {
      [nameField]: 'mallory', password: PASSWORD,
    });
    assert.ok(forced.status >= 400, `a kept form was taken: ${forced.status}`);
    const mallory = server.client('mallory', PASSWORD);
    assert.equal((await mallory.put('hers.txt', 'hers')).status, 401);
  });

  it('prints no link any more once there is an account, and keeps the files', async () => {
    const server = await servers.start();
    const user = await server.addUser({ args: ['--admin'] });
    await user.put('kept.txt', 'kept');
    await server.stop();
    await server.startAgain();
    assert.doesNotMatch(server.command.stdout, LINK);
    assert.equal((await user.get('kept.txt')).text, 'kept');
  });

  it('leaves a running server alone when it is started twice on the same data', async () => {
    const server = await servers.start();
    const user = await server.addUser();
    await user.put('a.txt', 'a');
    const second = await run(PROGRAM, ['serve', '--data', server.data, '--listen', '127.0.0.1:0'], {
      timeoutMs: 60_000,
    });
    assert.notEqual(second.code, 0);
    assert.match(second.stderr + second.stdout, /already running/i);
    assert.equal((await user.get('a.txt')).text, 'a');
    assert.equal((await user.put('b.txt', 'b')).status, 201);
  });

  it('does not take a password on the command line, nor a short one', async () => {
    const server = await servers.start();
    await assert.rejects(server.addUser({ password: 'short' }), /10|long|characters/i);
    const args = ['user', 'add', 'eve', '--password', PASSWORD, '--data', server.data];
    const { code } = await run(PROGRAM, args);
    assert.notEqual(code, 0);
  });
});
