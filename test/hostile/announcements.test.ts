import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meetRaw } from './raw.ts';
import { visit } from './visit.ts';

const EMPTY = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const INTERIM = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n';
const MANY = 10_000;

test('A server that announces its answer again and again, and never gives it, is left', async (context) => {
  let announced = 0;
  const host = await meetRaw(context, (head, socket) => {
    if (!head.includes('/manifests/')) return socket.write(EMPTY);
    const announce = () => {
      announced += 1;
      if (socket.destroyed) return;
      socket.write(announced < MANY ? INTERIM : EMPTY);
      if (announced < MANY) setImmediate(announce);
    };
    return announce();
  });
  const repository = await visit(context, host);

  await assert.rejects(repository.fetchManifest('v1'));

  assert.ok(announced < MANY, `${announced} announcements`);
});
