/** The own account in the web page: how somebody signs in, and what signs in for them. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { Locator, Page } from 'playwright-core';
import { ask, basic } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  PHONE, WAIT_MS, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';
import { said } from './files-screen.ts';

const PASSWORD = 'another correct horse';
const STEP_MS = 30_000;

function dialog(page: Page, name: string | RegExp): Locator {
  return page.getByRole('dialog', { name });
}

/** What an authenticator app shows, `steps` of 30 seconds from now. */
function codeOf(secret: string, steps = 0): string {
  const timestamp = Date.now() + steps * STEP_MS;
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
}

/** As far as the second step. */
async function showPassword(page: Page, name: string): Promise<void> {
  await page.goto('/app/account?part=security');
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
}

async function go(page: Page, part: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Parts of your account' })
    .getByRole('link', { name: part }).click();
}

/** Nothing stands in anybody's way, and people can look at it later. */
async function judged(page: Page, name: string): Promise<void> {
  assert.deepEqual(await obstaclesOn(page), []);
  await picture(page, name);
}

describe('the account in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;
  let visitor: Visitor;
  let page: Page;
  let secret = '';
  let recovery: string[] = [];

  before(async () => {
    await buildPage();
    server = await servers.start();
    ada = await server.addUser({ args: ['--admin'] });
    await ada.put('hello.txt', 'from the server');
    visitor = await browsers.visit(server);
    page = visitor.page;
  });

  it('is reached from the menu, and changes the name that others see', async () => {
    await signIn(page, ada);
    await page.getByRole('button', { name: 'Account of ada' }).click();
    await page.getByRole('menuitem', { name: 'Account and devices' }).click();
    await page.getByRole('heading', { name: 'Account', exact: true }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Ada L.');
    await page.getByRole('button', { name: 'Save' }).click();
    await said(page, 'Your name is changed');
    await page.getByRole('button', { name: 'Account of Ada L.' }).waitFor();
    await judged(page, 'account-profile');
  });

  it('changes the password for who knows it, and stays signed in', async () => {
    await go(page, 'Security');
    const fill = async (old: string): Promise<void> => {
      await page.getByLabel('Password now').fill(old);
      await page.getByLabel('New password').fill(PASSWORD);
      await page.getByLabel('The new one again').fill(PASSWORD);
      await page.getByRole('button', { name: 'Change password' }).click();
    };
    await fill('not the password');
    await page.getByRole('alert').getByText('The password is wrong.').waitFor();
    await fill(ada.password);
    await said(page, 'Your password is changed.');
    assert.equal((await ada.get('hello.txt')).status, 401);
  });

  it('sets two-step sign-in up, by a QR code or a key', async () => {
    await judged(page, 'account-security');
    await page.getByRole('button', { name: 'Set up two-step sign-in' }).click();
    const setUp = dialog(page, 'Set up two-step sign-in');
    await setUp.getByLabel('Your password').fill(PASSWORD);
    await setUp.getByRole('button', { name: 'Next' }).click();
    await setUp.getByRole('img', { name: /QR code/ }).waitFor();
    await judged(page, 'two-step-code');
    await setUp.getByText('The app cannot scan?').click();
    secret = await setUp.getByRole('textbox', { name: 'Enter this key in the app' }).inputValue();
    await setUp.getByLabel(/Enter the code/).fill('000');
    await setUp.getByRole('button', { name: 'Turn on' }).click();
    await setUp.getByRole('alert').getByText('This code is not right').waitFor();
    await setUp.getByLabel(/Enter the code/).fill(codeOf(secret));
    await setUp.getByRole('button', { name: 'Turn on' }).click();
    const codes = setUp.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
    await codes.first().waitFor();
    recovery = await codes.allTextContents();
    assert.equal(recovery.length, 10);
    await judged(page, 'two-step-recovery');
    assert.ok(await setUp.getByRole('button', { name: 'Done' }).isDisabled());
    await setUp.getByLabel('I have kept these codes').check();
    await setUp.getByRole('button', { name: 'Done' }).click();
    await page.getByText('You have 10 recovery codes left.').waitFor();
  });

  it('signs in by password and code, and not by a wrong code', async () => {
    const { page: other, complaints } = await browsers.visit(server);
    await showPassword(other, ada.name);
    const code = other.getByLabel('Code', { exact: true });
    assert.equal(await code.getAttribute('autocomplete'), 'one-time-code');
    await code.fill('000');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByRole('alert').getByText('This code is not right').waitFor();
    await judged(other, 'sign-in-code');
    // That of now turned it on.
    await code.fill(codeOf(secret, 1));
    await other.getByRole('button', { name: 'Sign in' }).click();
    const browsersHere = other.getByRole('list', { name: 'Browsers' }).getByRole('listitem');
    await browsersHere.nth(1).waitFor();
    assert.deepEqual(complaints, []);

    // Here the other one is signed out, and notices.
    await page.reload();
    await page.getByRole('button', { name: /^Sign out: / }).click();
    await dialog(page, /^Sign “.*” out\?/).getByRole('button', { name: 'Sign out' }).click();
    await said(page, 'That browser is signed out');
    await other.reload();
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('signs in by a recovery code, once', async () => {
    const { page: other } = await browsers.visit(server);
    for (const [at, isGood] of [[0, true], [0, false], [1, true]] as const) {
      await other.context().clearCookies();
      await showPassword(other, ada.name);
      await other.getByRole('button', { name: 'Use a recovery code instead' }).click();
      await other.getByLabel('Recovery code').fill(recovery[at] ?? '');
      await other.getByRole('button', { name: 'Sign in' }).click();
      if (isGood) await other.getByRole('navigation', { name: 'Main' }).waitFor();
      else await other.getByRole('alert').getByText('This code is not right').waitFor();
    }
    await page.reload();
    await page.getByText('You have 8 recovery codes left.').waitFor();
  });

  it('asks for the code on the page without scripts too', async () => {
    const { page: plain } = await browsers.visit(server, { javaScriptEnabled: false });
    await plain.goto('/login');
    await plain.getByLabel('User name').fill(ada.name);
    await plain.getByLabel('Password').fill(PASSWORD);
    await plain.getByRole('button', { name: 'Sign in' }).click();
    await plain.getByRole('heading', { name: 'One more step' }).waitFor();
    await picture(plain, 'sign-in-code-plain');
    await plain.getByLabel('Code').fill(recovery[2] ?? '');
    await plain.getByRole('button', { name: 'Sign in' }).click();
    await plain.waitForURL(/\/app\//);
  });

  it('connects a phone, whose app password works where the own password does not', async () => {
    const own = await server.client(ada.name, PASSWORD).get('hello.txt');
    assert.equal(own.status, 401);
    assert.match(own.text, /app password/);
    await go(page, 'Devices');
    await page.getByRole('heading', { name: 'No device is connected' }).waitFor();
    await picture(page, 'devices-none');
    await page.getByRole('button', { name: 'Connect a device' }).click();
    const guide = dialog(page, 'Connect a device');
    await guide.getByRole('button', { name: /Phone or tablet/ }).waitFor();
    await judged(page, 'connect-choice');
    await guide.getByRole('button', { name: /Drive in Windows/ }).click();
    assert.equal(await guide.getByRole('textbox', { name: 'Address' }).inputValue(),
      `${server.url}/dav/`);
    await guide.getByRole('button', { name: 'Back' }).click();
    await guide.getByRole('button', { name: /Phone or tablet/ }).click();
    await guide.getByLabel('Name of the device').fill('Ada\'s phone');
    await guide.getByRole('button', { name: 'Make an app password' }).click();
    await guide.getByRole('img', { name: /QR code/ }).waitFor();
    const password = await guide.getByRole('textbox', { name: 'App password' }).inputValue();
    await judged(page, 'connect-phone');
    assert.equal((await server.client(ada.name, password).get('hello.txt')).text,
      'from the server');
    await guide.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Ada\'s phone').waitFor();
    await judged(page, 'devices');
    await page.getByRole('button', { name: 'Disconnect: Ada\'s phone' }).click();
    await dialog(page, /^Disconnect/).getByRole('button', { name: 'Disconnect' }).click();
    await said(page, 'The device is disconnected');
    assert.equal((await server.client(ada.name, password).get('hello.txt')).status, 401);
  });

  it('makes an API token that is good for what was ticked, until it is ended', async () => {
    await go(page, 'API tokens');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const form = dialog(page, 'Make a token');
    await form.getByLabel('What is it for?').fill('Backup script');
    await form.getByLabel('Read and change this account').check();
    await judged(page, 'token-form');
    await form.getByRole('button', { name: 'Make a token' }).click();
    const token = await form.getByRole('textbox', { name: 'Backup script' }).inputValue();
    await form.getByRole('button', { name: 'Done' }).click();
    await page.getByText(/Read files · Read and change this account/).waitFor();
    await judged(page, 'tokens');
    const statusOf = async (path: string): Promise<number> => (
      await ask('GET', `${server.url}/api/v1${path}`, {
        headers: { Authorization: `Bearer ${token}` },
      })).status;
    assert.deepEqual([await statusOf('/account'), await statusOf('/users')], [200, 403]);
    await page.getByRole('button', { name: 'End: Backup script' }).click();
    await dialog(page, /^End the token/).getByRole('button', { name: 'End' }).click();
    await said(page, 'The token is ended');
    await eventually(WAIT_MS, 'it is refused', async () => await statusOf('/account') === 401);
  });

  it('has nothing in the way of anybody, in dark and on a phone', async () => {
    await go(page, 'Security');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    await page.getByText('Turned on:').waitFor();
    await judged(page, 'account-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    const phone = await browsers.visit(server, PHONE);
    await showPassword(phone.page, ada.name);
    await picture(phone.page, 'sign-in-code-phone');
    await phone.page.getByRole('button', { name: 'Use a recovery code instead' }).click();
    await phone.page.getByLabel('Recovery code').fill(recovery[3] ?? '');
    await phone.page.getByRole('button', { name: 'Sign in' }).click();
    await phone.page.getByText('Turned on:').waitFor();
    await judged(phone.page, 'account-phone');
    const width = await phone.page.evaluate<number>('document.documentElement.scrollWidth');
    assert.equal(width, PHONE.viewport.width, 'nothing sticks out');
    const bar = phone.page.getByRole('navigation', { name: 'Main' });
    const placeCount = await bar.locator(':scope > :visible').count();
    assert.ok(placeCount <= 4, 'the bar holds five places with the account');
    await go(phone.page, 'Devices');
    await phone.page.getByRole('button', { name: 'Connect a device' }).click();
    await dialog(phone.page, 'Connect a device').getByRole('button', { name: /Sync a computer/ })
      .click();
    await judged(phone.page, 'connect-phone-width');
    assert.deepEqual([...visitor.complaints, ...phone.complaints], []);
  });

  it('turns two-step sign-in off with a recovery code', async () => {
    await page.getByRole('button', { name: 'Turn off' }).click();
    const off = dialog(page, 'Turn two-step sign-in off?');
    await off.getByLabel('Your password').fill(PASSWORD);
    await off.getByLabel(/Code from the app/).fill(recovery[4] ?? '');
    await off.getByRole('button', { name: 'Turn off' }).click();
    await said(page, 'Two-step sign-in is off');
    const own = await ask('GET', `${server.url}/dav/hello.txt`, {
      headers: { Authorization: basic({ name: ada.name, password: PASSWORD }) },
    });
    assert.equal(own.text, 'from the server');
  });
});
