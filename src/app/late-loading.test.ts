import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

it('A server loads neither the API nor what it is built on before it is asked for', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const found = [];
    registerHooks({ resolve(name, context, next) {
      const resolved = next(name, context);
      if (/node_modules.(typebox|fastify).|rest-app/.test(resolved.url)) found.push(resolved.url);
      return resolved;
    } });
    await import(${JSON.stringify(new URL('server.ts', import.meta.url).href)});
    console.log(JSON.stringify(found.slice(0, 3)));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(
    process.execPath, ['--input-type=module', '--eval', program], { timeout: 120_000 });
  assert.equal(stdout.trim(), '[]');
});
