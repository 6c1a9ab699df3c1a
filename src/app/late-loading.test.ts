import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

it('A server loads no API and no driver of databases before they are asked for', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const found = [];
    registerHooks({ resolve(name, context, next) {
      const resolved = next(name, context);
      const isLate = /node_modules.(typebox|fastify|mysql2).|rest-app/.test(resolved.url);
      if (isLate) found.push(resolved.url);
      return resolved;
    } });
    await import(${JSON.stringify(new URL('server.ts', import.meta.url).href)});
    console.log(JSON.stringify(found.slice(0, 3)));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(
    process.execPath, ['--input-type=module', '--eval', program], { timeout: 120_000 });
  assert.equal(stdout.trim(), '[]');
});
