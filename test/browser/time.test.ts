/** What the web page shows of time: changes of others as they come, the past, and what happened. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  PHONE, WAIT_MS, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';
import { row, stored } from './files-screen.ts';

/** So much at once by one device is held back. */
const LIMIT = 20;
const WINDOW_S = 1;
const BRAKE = {
  HOLDFAST_FILES_MASS_CHANGE_LIMIT: String(LIMIT),
  HOLDFAST_FILES_MASS_CHANGE_WINDOW: String(WINDOW_S),
};

/** After everything so far, and before anything that comes: times are kept to the millisecond. */
async function quietMoment(): Promise<string> {
  const after = (ms: number): Promise<true> => eventually(WAIT_MS, 'time passes', () => {
    return Promise.resolve(Date.now() > ms);
  });
  await after(Date.now());
  const at = Date.now();
  await after(at);
  return new Date(at).toISOString();
}

describe('time in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;
  let visitor: Visitor;
  let page: Page;

  before(async () => {
    await buildPage();
    server = await servers.start({ env: BRAKE });
    ada = await server.addUser();
    visitor = await browsers.visit(server);
    page = visitor.page;
  });

  it('shows what others change while one looks', async () => {
    await ada.put('plan.txt', 'one');
    await signIn(page, ada);
    const stream = page.waitForResponse((answer) => answer.url().includes('/changes/stream'));
    await row(page, 'plan.txt').waitFor();
    assert.equal((await stream).status(), 200);

    const other = await browsers.visit(server);
    await signIn(other.page, ada);
    await row(other.page, 'plan.txt').waitFor();
    await other.page.keyboard.press('Shift+N');
    await other.page.getByLabel('Name of the folder').fill('Photos');
    await other.page.keyboard.press('Enter');
    await row(page, 'Photos').waitFor();
    await other.page.context().close();
    await ada.put('Photos/sea.txt', 'x'.repeat(2_000));
    await row(page, 'Photos').getByText('2 kB').waitFor();
    await ada.move('plan.txt', 'plans.txt');
    await row(page, 'plans.txt').waitFor();
    await row(page, 'plan.txt').waitFor({ state: 'detached' });
    await server.restart();
    await ada.remove('plans.txt');
    await row(page, 'plans.txt').waitFor({ state: 'detached' });
    assert.deepEqual(visitor.complaints, []);
  });

  it('looks back at a folder, says what is different, and brings it back, with undo', async () => {
    for (const [name, content] of Object.entries({ 'a.txt': 'old', 'b.txt': 'b', 'c.txt': 'c' })) {
      await ada.put(`Photos/${name}`, content);
    }
    const at = await quietMoment();
    await ada.put('Photos/a.txt', 'new');
    await ada.remove('Photos/b.txt');
    await ada.move('Photos/c.txt', 'Photos/renamed.txt');
    await ada.put('Photos/later.txt', 'later');

    await row(page, 'Photos').getByRole('link').click();
    await row(page, 'later.txt').waitFor();
    await page.getByRole('button', { name: 'See how this folder was, and bring' }).click();
    await page.getByRole('heading', { name: 'Look back at Photos' }).waitFor();
    await page.getByText('This is how it is now.').waitFor();
    await page.goto(`/app/time?path=/Photos&at=${at}&range=day`);
    const list = page.getByRole('list', { name: /Contents on/ });
    await list.getByText('deleted since').waitFor();
    await list.getByRole('button', { name: 'a.txt', exact: true }).click();
    const content = page.getByRole('dialog', { name: /“a.txt” of/ });
    await content.getByText('old').waitFor();
    await page.keyboard.press('Escape');
    await content.waitFor({ state: 'detached' });
    await picture(page, 'time');
    assert.deepEqual(await obstaclesOn(page), []);

    await page.getByText('What is different now', { exact: true }).click();
    await page.getByText('1 deleted since').waitFor();
    await page.getByText('1 moved or renamed since').waitFor();
    await picture(page, 'time-different');
    assert.deepEqual(await obstaclesOn(page), []);

    await page.getByRole('button', { name: 'Bring this folder back' }).click();
    const ask = page.getByRole('dialog', { name: 'Bring “Photos” back?' });
    await ask.getByText('what was added since goes to the trash').waitFor();
    await picture(page, 'time-restore');
    await ask.getByRole('button', { name: 'Bring it back' }).click();
    await page.getByRole('status', { name: 'Messages' }).getByText(/Brought “Photos” back/)
      .waitFor();
    await stored(ada, 'Photos/a.txt', 'old');
    await stored(ada, 'Photos/b.txt', 'b');
    await stored(ada, 'Photos/c.txt', 'c');
    await stored(ada, 'Photos/later.txt', undefined);
    await page.getByText('1 deleted since').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await stored(ada, 'Photos/a.txt', 'new');
    await stored(ada, 'Photos/later.txt', 'later');
    await page.getByText('1 deleted since').waitFor();

    await page.getByText('As it was', { exact: true }).click();
    await page.getByRole('button', { name: 'Bring back b.txt' }).click();
    await page.getByRole('button', { name: 'Bring it back' }).click();
    await stored(ada, 'Photos/b.txt', 'b');
    await stored(ada, 'Photos/a.txt', 'new');
    await page.goto('/app/time?path=/Photos&at=2020-01-01T00:00:00Z');
    await page.getByText('That was before you had files here').waitFor();
    assert.deepEqual(visitor.complaints, []);
  });

  it('shows a version, and compares it with the file of now', async () => {
    await ada.put('story.txt', 'once\nupon\na time\n');
    await ada.put('story.txt', 'once\nbelow\na time\n');
    await page.goto('/app/files');
    await row(page, 'story.txt').getByRole('gridcell').nth(2).click();
    await page.keyboard.press('i');
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByRole('button', { name: /The version of/ }).click();
    await picture(page, 'version-menu');
    await page.getByRole('menuitem', { name: 'Compare with now' }).click();
    const compared = page.getByRole('dialog', { name: 'Compare “story.txt”' });
    await compared.getByText('upon').waitFor();
    await compared.getByText('below').waitFor();
    await picture(page, 'compare');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.keyboard.press('Escape');
    await compared.waitFor({ state: 'detached' });
    await panel.getByRole('button', { name: /The version of/ }).click();
    await page.getByRole('menuitem', { name: 'Show' }).click();
    await page.getByRole('dialog', { name: /“story.txt” of/ }).getByText('upon').waitFor();
    await page.keyboard.press('Escape');
    assert.deepEqual(visitor.complaints, []);
  });

  it('tells what happened as it happens, alike things together', async () => {
    await page.getByRole('link', { name: 'What happened here' }).click();
    await page.getByRole('heading', { name: 'Activity in story.txt' }).waitFor();
    await page.getByText('You changed “story.txt” in Files').or(
      page.getByText('You added “story.txt” to Files')).first().waitFor();
    assert.equal(await page.getByText('renamed.txt').count(), 0);
    await page.getByRole('link', { name: 'Show all activity' }).click();
    await page.getByRole('heading', { name: 'Activity', exact: true }).waitFor();
    await page.getByText('You added “story.txt” to Files').waitFor();
    await ada.makeFolder('Letters');
    for (const name of ['one', 'two', 'three']) await ada.put(`Letters/${name}.txt`, name);
    await page.getByText('You added 3 items to Letters').waitFor();
    await page.getByText('Show which 3').first().click();
    await page.getByText('three.txt').waitFor();
    await picture(page, 'activity');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture(page, 'activity-dark');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('asks what to do with two files that were one', async () => {
    const copy = 'Letters/one (conflicted copy 2026-11-21 101500).txt';
    await ada.put(copy, 'the other one');
    await page.getByRole('link', { name: /Activity/ }).getByText('1 thing waits').waitFor();
    await page.getByRole('tab', { name: /Waiting for you/ }).click();
    await page.getByRole('heading', { name: 'one.txt' }).waitFor();
    await page.getByRole('button', { name: 'Compare both of one.txt' }).click();
    await page.getByRole('dialog').getByText('the other one').waitFor();
    await page.keyboard.press('Escape');
    await picture(page, 'conflict-copies');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.getByRole('button', { name: /Keep this one: one \(conflicted/ }).click();
    await stored(ada, 'Letters/one.txt', 'the other one');
    await stored(ada, copy, undefined);
    await page.getByText('Nothing waits for you').waitFor();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await stored(ada, 'Letters/one.txt', 'one');
    await stored(ada, copy, 'the other one');
    await page.getByRole('button', { name: 'Keep both of one.txt' }).click();
    await stored(ada, 'Letters/one (2).txt', 'the other one');
    await page.getByText('Nothing waits for you').waitFor();
    assert.deepEqual(visitor.complaints, []);
  });

  it('asks whether a device meant to delete so much', async () => {
    const made = await ada.ask('GET', '/ocs/v2.php/core/getapppassword?format=json', {
      headers: { 'OCS-APIRequest': 'true', 'User-Agent': 'Laptop' },
    });
    const { ocs } = JSON.parse(made.text) as { ocs: { data: { apppassword: string } } };
    const laptop = server.client(ada.name, ocs.data.apppassword);
    await ada.makeFolder('Many');
    for (let n = 0; n <= LIMIT; n += 1) await ada.put(`Many/${n}.txt`, String(n));
    const oldAt = Date.now() + WINDOW_S * 1_000;
    await eventually(WAIT_MS, 'the files are older than the window', () => Date.now() > oldAt);
    await laptop.remove('Many');
    assert.equal((await ada.get('Many/1.txt')).status, 200);
    await page.reload();
    await page.getByRole('heading', { name: '“Laptop” has deleted or overwritten' }).waitFor();
    await page.getByRole('button', { name: 'Show what is held back' }).click();
    await page.getByText('deleted', { exact: true }).first().waitFor();
    await picture(page, 'held');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.getByRole('button', { name: 'No, bring all back' }).click();
    const ask = page.getByRole('dialog');
    await ask.getByText('The device gets its files back').waitFor();
    await ask.getByRole('button', { name: 'No, bring all back' }).click();
    await page.getByText('Nothing waits for you').waitFor();
    assert.equal((await laptop.get('Many/1.txt')).text, '1');
    assert.deepEqual(visitor.complaints, []);
  });

  it('fits on a phone', async () => {
    await ada.put('Letters/one (conflicted copy 2026-11-21 111500).txt', 'another');
    const phone = await browsers.visit(server, { ...PHONE, colorScheme: 'dark' });
    await signIn(phone.page, ada);
    await phone.page.getByRole('button', { name: /^More.*1 thing waits/ }).click();
    await phone.page.getByRole('menuitem', { name: /^Activity.*1 thing waits/ }).waitFor();
    await picture(phone.page, 'more-phone');
    await phone.page.keyboard.press('Escape');
    await phone.page.goto('/app/activity');
    await phone.page.getByText('Today').waitFor();
    await picture(phone.page, 'activity-phone');
    assert.deepEqual(await obstaclesOn(phone.page), []);
    await phone.page.goto('/app/time?path=/Letters&range=day');
    await phone.page.getByRole('list', { name: /Contents on/ }).getByText('two.txt').waitFor();
    await picture(phone.page, 'time-phone');
    assert.deepEqual(await obstaclesOn(phone.page), []);
    assert.deepEqual(phone.complaints, []);
  });
});
