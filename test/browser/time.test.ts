/** What the web page shows of time: changes of others as they come, the past, and what happened. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { browserForTests, buildPage, signIn } from './browser-page.ts';
import type { Visitor } from './browser-page.ts';

function row(page: Page, name: string): Locator {
  const link = page.getByRole('link', { name, exact: true });
  return page.getByRole('row').filter({ has: link });
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
});
