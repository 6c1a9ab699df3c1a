/** How long people look at nothing: from the address to the list of files, with nothing cached. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext } from 'playwright-core';
import type { Measurement } from '../measurement.ts';
import { MissingServer } from '../servers/bench-server.ts';
import { PASSWORD, USER, addUser, runHoldfast } from '../servers/holdfast.ts';
import { median } from '../statistics.ts';
import type { Item, Subject } from './item.ts';

const PROGRAM = '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const ROUNDS = 7;
const FILES = 200;
const WAIT_MS = 60_000;

type Kept = Awaited<ReturnType<BrowserContext['storageState']>>;

async function fill(origin: string): Promise<void> {
  const Authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  for (let at = 0; at < FILES; at += 1) {
    const url = `${origin}/remote.php/dav/files/${USER}/file-${String(at).padStart(3, '0')}.txt`;
    const { ok, status } = await fetch(url, {
      method: 'PUT', body: `${at}`, headers: { Authorization },
    });
    if (!ok) throw new Error(`PUT answered ${status}`);
  }
}

async function signIn(browser: Browser, origin: string): Promise<Kept> {
  const context = await browser.newContext({ baseURL: origin });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const answer = await page.goto('/app/');
  if (answer?.ok() !== true) throw new MissingServer('the page is not built: npm start builds it');
  await page.getByLabel('User name').fill(USER);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'file-000.txt' }).waitFor();
  const kept = await context.storageState();
  await context.close();
  return kept;
}

interface View {
  readonly ms: number;
  readonly scriptBytes: number;
}

async function viewOnce(browser: Browser, origin: string, storageState: Kept): Promise<View> {
  const context = await browser.newContext({ baseURL: origin, storageState });
  const page = await context.newPage();
  let scriptBytes = 0;
  page.on('response', (response) => {
    if (response.request().resourceType() !== 'script') return;
    scriptBytes += Number(response.headers()['content-length'] ?? 0);
  });
  const fromMs = performance.now();
  await page.goto('/app/files', { waitUntil: 'commit' });
  await page.getByRole('link', { name: 'file-000.txt' }).waitFor({ timeout: WAIT_MS });
  const ms = performance.now() - fromMs;
  await context.close();
  return { ms, scriptBytes };
}

async function run({ settings }: Subject): Promise<Measurement> {
  const { repository } = settings;
  const folder = join(settings.scratchFolder, 'page');
  rmSync(folder, { recursive: true, force: true });
  await addUser({ folder, repository });
  const { child, port } = await runHoldfast({ folder, repository });
  const home = join(folder, 'browser');
  mkdirSync(home, { recursive: true });
  const browser = await chromium.launch({
    executablePath: PROGRAM, args: FLAGS, env: { ...process.env, HOME: home },
  });
  try {
    const origin = `http://127.0.0.1:${port}`;
    await fill(origin);
    const kept = await signIn(browser, origin);
    const views: View[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      views.push(await viewOnce(browser, origin, kept));
    }
    const times = views.map(({ ms }) => ms);
    const scriptKb = Math.max(...views.map(({ scriptBytes }) => scriptBytes)) / 1000;
    return {
      value: median(times), unit: 'ms', p50Ms: median(times), p99Ms: Math.max(...times),
      note: `${Math.round(scriptKb)} kB of script, compressed`,
    };
  } finally {
    await browser.close();
    await child.stop();
  }
}

/** In a browser that has never been here, signed in, with a list of 200 files. */
export const PAGE_ITEMS: readonly Item[] = [{
  id: 'page-first', title: 'first view of the web page', group: 'page',
  isHoldfastOnly: true, roundsMax: 1, run,
}];
