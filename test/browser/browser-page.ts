/** Chromium as Debian has it, on the real server and the page as it is built. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { scratchFolder } from '../support/scratch.ts';
import { REPOSITORY } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const PROGRAM = '/usr/bin/chromium';
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
/** The machine may be busy with other things. */
export const WAIT_MS = 90_000;
const SCREENSHOTS = join(import.meta.dirname, 'screenshots');
/** Without motion nothing is judged or pictured half-way. */
const STILL = { reducedMotion: 'reduce' } as const;
export const DESKTOP = { ...STILL, viewport: { width: 1280, height: 800 } };
export const PHONE = {
  ...STILL, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true,
};

interface Launcher {
  ensureWeb(root: string, print?: (text: string) => void): Promise<boolean>;
}

/** Builds the page when it is not up to date, as `npm start` does. */
export async function buildPage(): Promise<void> {
  const launcher = createRequire(import.meta.url)(`${REPOSITORY}/launcher/web.cjs`) as Launcher;
  assert.ok(await launcher.ensureWeb(REPOSITORY), 'the web page cannot be built');
}

export interface Visitor {
  readonly page: Page;
  /** What the browser has complained about: errors of scripts, refusals by the content policy. */
  readonly complaints: string[];
}

export function launchBrowser(): Promise<Browser> {
  const env = { ...process.env, HOME: scratchFolder('browser') };
  return chromium.launch({ executablePath: PROGRAM, args: FLAGS, env });
}

/** One browser for the tests of a file, closed behind them. */
export function browserForTests() {
  let browser: Browser | undefined;
  after(async () => browser?.close());
  return {
    async visit(server: TestServer, options: BrowserContextOptions = DESKTOP): Promise<Visitor> {
      browser ??= await launchBrowser();
      const context = await browser.newContext({ baseURL: server.url, ...options });
      context.setDefaultTimeout(WAIT_MS);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        const text = message.text();
        // An answer that is a refusal is part of the conversation, and the page says so itself.
        const isAnswer = text.startsWith('Failed to load resource');
        if (message.type() === 'error' && !isAnswer) complaints.push(text);
      });
      return { page, complaints };
    },
  };
}

export async function signIn(page: Page, user: { name: string; password: string }): Promise<void> {
  await page.goto('/app/');
  await page.getByLabel('User name').fill(user.name);
  await page.getByLabel('Password', { exact: true }).fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
}

/** Kept beside the tests, for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What stands in the way of people who cannot see, hear or point well: WCAG 2.2, A and AA. */
export async function obstaclesOn(page: Page): Promise<string[]> {
  // A hint at the pointer is no content of the page, and lies outside of all of it.
  await page.mouse.move(0, 0);
  await page.locator('[role=tooltip]').first().waitFor({ state: 'detached' });
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(readFileSync(axe, 'utf8'));
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const run = `axe.run(document, ${JSON.stringify({ runOnly: tags })})`;
  const { violations } = await page.evaluate<AxeResult>(run);
  return violations.map(({ id, help, nodes }) => {
    return `${id}: ${help}\n${nodes.map((node) => `  ${node.html.slice(0, 200)}`).join('\n')}`;
  });
}
