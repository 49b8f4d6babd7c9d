import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import { test } from 'node:test';
import { detour } from '../../src/progress/detour.ts';

function heardFrom(...streams: readonly Writable[]) {
  const heard: string[] = [];
  const release = detour(streams, (text) => heard.push(text));
  return { heard, release };
}

test('Whole lines are led away, and unfinished ones wait for their ends', () => {
  const stream = new PassThrough();
  const { heard } = heardFrom(stream);

  stream.write('one\ntw');
  stream.write('o\n');

  assert.deepEqual(heard, ['one\n', 'two\n']);
  assert.equal(stream.read(), null);
});

test('What is unfinished at the end comes with the release', () => {
  const stream = new PassThrough();
  const { heard, release } = heardFrom(stream);
  stream.write('no end');

  release();

  assert.deepEqual(heard, ['no end']);
});

test('Bytes are taken for text, also when a character is cut in two', () => {
  const stream = new PassThrough();
  const { heard } = heardFrom(stream);
  const bytes = Buffer.from('权限\n');

  stream.write(bytes.subarray(0, 2));
  stream.write(bytes.subarray(2));
  stream.write('e6 9d 83 0a'.replaceAll(' ', ''), 'hex');

  assert.deepEqual(heard, ['权限\n', '权\n']);
});

test('Whoever writes is told that it was written', async () => {
  const stream = new PassThrough();
  heardFrom(stream);

  const plain = await new Promise((resolve) => stream.write('a\n', resolve));
  const encoded = await new Promise((resolve) => stream.write('a\n', 'utf8', resolve));

  assert.deepEqual([plain, encoded], [undefined, undefined]);
});

test('After the release the stream is as it was', async () => {
  const stream = new PassThrough();
  const { heard, release } = heardFrom(stream, stream);

  release();
  stream.write('through\n');

  const [chunk] = await once(stream, 'data');
  assert.equal(`${chunk}`, 'through\n');
  assert.deepEqual(heard, []);
  assert.equal(Object.hasOwn(stream, 'write'), false);
});

test('A stream that somebody else led away before is given back to them', () => {
  const stream = new PassThrough();
  const theirs: string[] = [];
  stream.write = (chunk: unknown) => theirs.push(`${chunk}`) > 0;
  const { release } = heardFrom(stream);

  release();
  stream.write('theirs\n');

  assert.deepEqual(theirs, ['theirs\n']);
});
