/** What the web page shows of time: changes of others as they come, the past, and what happened. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  WAIT_MS, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';

function row(page: Page, name: string): Locator {
  const link = page.getByRole('link', { name, exact: true });
  return page.getByRole('row').filter({ has: link });
}

/** Sooner or later: the page shows a step before the server has answered. */
async function stored(user: DavClient, path: string, wanted: string | undefined): Promise<void> {
  await eventually(WAIT_MS, `${path} is ${wanted ?? 'gone'}`, async () => {
    const { status, text } = await user.get(path);
    return wanted === undefined ? status === 404 : text === wanted;
  });
}

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
    server = await servers.start();
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

    await ada.makeFolder('Photos');
    await ada.put('Photos/sea.txt', 'x'.repeat(2_000));
    await row(page, 'Photos').waitFor();
    await row(page, 'Photos').getByText('2 kB').waitFor();
    await ada.move('plan.txt', 'plans.txt');
    await row(page, 'plans.txt').waitFor();
    await row(page, 'plan.txt').waitFor({ state: 'detached' });
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
});
