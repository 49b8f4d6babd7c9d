import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from '../../src/text/secrets.ts';

for (const text of [
  'me:hunter2@r.example/team/app:v1',
  'me:hun@hunter2@r.example/team/app:v1',
  'me:"hunter2@r.example/team/app:v1',
  'https://me:hunter2/x@r.example/team/app:v1',
  'me:hun:hunter2@r.example:5000/team/app@sha256:0',
  'the header "Authorization: Basic hunter2hunter2=" is not welcome',
  'Get "https://storage.example/x?X-Amz-Signature=hunter2&X-Amz-Date=1": EOF',
])
  test(`What looks like a secret is left out of ${text}`, () => {
    assert.doesNotMatch(withoutSecrets(text), /hunter2/);
  });

for (const text of [
  `r.example:5000/team/app:v1@sha256:${'0'.repeat(64)}`,
  'repository:team/app:pull,push',
  '[::1]:5000/team/app:v1',
  'docker.io/library/nginx:1.27',
])
  test(`Nothing is left out of ${text.slice(0, 40)}`, () => {
    assert.equal(withoutSecrets(text), text);
  });

test('A text without end is looked at no further than anybody reads', () => {
  for (const piece of [':', 'a:', '?key', 'Bearer ', '//:'])
    assert.ok(withoutSecrets(`?${piece.repeat(400_000)}`).length <= 2_000);
});
