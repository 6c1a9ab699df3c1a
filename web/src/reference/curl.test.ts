import assert from 'node:assert/strict';
import { it } from 'node:test';
import { execFileSync } from 'node:child_process';
import { addressOf, curlOf } from './curl.ts';

const PLAIN = {
  method: 'GET', url: 'https://files.example.org/api/v1/session', headers: [], body: undefined,
  isSignedIn: true, isStream: false,
};

it('a request is shown as a line for curl, with a variable in place of the token', () => {
  assert.equal(curlOf(PLAIN), 'curl \'https://files.example.org/api/v1/session\' \\\n'
    + '  -H "Authorization: Bearer $HOLDFAST_TOKEN"');
  assert.match(curlOf({ ...PLAIN, method: 'HEAD' }), /^curl --head /);
  assert.match(curlOf({ ...PLAIN, method: 'DELETE' }), /^curl -X DELETE /);
  const file = curlOf({ ...PLAIN, method: 'PUT', body: { fileName: 'a b.txt' } });
  assert.match(file, /--data-binary '@a b\.txt'$/);
});

it('whatever is typed stays one word for the shell', () => {
  const odd = 'it\'s $HOME `id` "x" \\ $(id)';
  const line = curlOf({ ...PLAIN, isSignedIn: false, method: 'POST', body: { text: odd } });
  const printed = execFileSync('sh', ['-c', line.replace('curl', 'printf "%s\\n"')]).toString();
  assert.deepEqual(printed.split('\n').slice(-3), ['--data-raw', odd, '']);
});

it('an address holds what was filled in, and leaves open what was not', () => {
  const path = new Map([['id', 'a/b'], ['name', '']]);
  const query = new Map([['limit', '5'], ['cursor', '']]);
  assert.equal(addressOf('/nodes/{id}/{name}', { path, query }), '/nodes/a%2Fb/{name}?limit=5');
});
