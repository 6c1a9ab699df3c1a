import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

/** What is loaded with a file, of that which it should not load. */
async function loadedWith(file: string, unwanted: RegExp): Promise<string> {
  const program = `
    import { registerHooks } from 'node:module';
    const found = [];
    registerHooks({ load(url, context, next) {
      if (${String(unwanted)}.test(url)) found.push(url);
      return next(url, context);
    } });
    await import(${JSON.stringify(new URL(file, import.meta.url).href)});
    console.log(JSON.stringify(found.slice(0, 3)));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(
    process.execPath, ['--input-type=module', '--eval', program], { timeout: 120_000 });
  return stdout.trim();
}

it('A server loads no API and no driver of databases before they are asked for', async () => {
  const unwanted = /node_modules.(typebox|fastify|mysql2|ws).|rest-app/;
  assert.equal(await loadedWith('server.ts', unwanted), '[]');
});

it('A thread that writes metadata loads neither metrics nor a log', async () => {
  const unwanted = /node_modules.(prom-client|pino|@opentelemetry)./;
  const thread = '../metadata/stores/sqlite/writer/metadata-writer.ts';
  assert.equal(await loadedWith(thread, unwanted), '[]');
});

it('A command loads neither the server nor what only a server needs', async () => {
  const unwanted = /node_modules.(prom-client|pino|ws|fastify|mysql2).|app.(server|filer)\.ts/;
  assert.equal(await loadedWith('stores.ts', unwanted), '[]');
});
