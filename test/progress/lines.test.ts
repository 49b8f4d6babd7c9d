import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CopyEvent } from '../../src/copy/events.ts';
import { formatLine, lineOf, showLines } from '../../src/progress/lines.ts';
import { widthOf } from '../../src/progress/width.ts';
import { blobNamed, explain, failedWith, pretendedImages, succeeded, taskFrom } from './pretend.ts';

const task = taskFrom('nginx:1.27', 'swr.example.com/team/nginx:1.27');

async function written(events: readonly CopyEvent[]): Promise<string> {
  const chunks: string[] = [];
  const reporter = showLines({ stream: { write: (text) => chunks.push(text) }, explain });
  for (const event of events) reporter.listener(event);
  await reporter.stop();
  return chunks.join('');
}

test('A run is one plain line for each finished image and for each retry', async () => {
  const blob = blobNamed('layer', 12_345_678);
  const failing = taskFrom('ghcr.io/team/app:2', 'swr.example.com/team/app:2');

  const text = await written([
    { kind: 'inspected', task, images: 3 },
    { kind: 'planned', images: 3, blobs: 1, bytes: blob.size },
    { kind: 'started', task, blobs: 1, bytes: blob.size },
    { kind: 'moving', task, blob, offset: 5 },
    { kind: 'placed', task, blob, fate: 'transferred' },
    { kind: 'finished', task, outcome: succeeded('copied', blob.size) },
    { kind: 'retrying', task: failing, attempt: 1, delayMs: 5000, error: new Error('503') },
    { kind: 'finished', task: failing, outcome: failedWith('team/app is not allowed: DENIED') },
    { kind: 'finished', task, outcome: succeeded('skipped') },
  ]);

  assert.equal(
    text,
    [
      'copied   docker.io/library/nginx:1.27 -> swr.example.com/team/nginx:1.27  12.3 MB',
      'retry    ghcr.io/team/app:2 -> swr.example.com/team/app:2  attempt 1 failed, again in 5s : 503',
      'failed   ghcr.io/team/app:2 -> swr.example.com/team/app:2 : team/app is not allowed: DENIED',
      'skipped  docker.io/library/nginx:1.27 -> swr.example.com/team/nginx:1.27  already there',
      '',
    ].join('\n'),
  );
});

test('Notes stand at the end of the line', async () => {
  const outcome = { ...succeeded('copied', 5), notes: ['one layer stays a URL', 'converted'] };

  const text = await written([{ kind: 'finished', task, outcome }]);

  assert.match(text, / {2}5 B \(one layer stays a URL\) \(converted\)\n$/);
});

test('What a server said stays on its line and cannot reach the terminal', async () => {
  const text = await written([
    { kind: 'finished', task, outcome: failedWith('no\r\n\u001b[2Jcopied   everything\u202e') },
  ]);

  assert.match(text, /: no \[2Jcopied {3}everything\n$/);
});

test('A line that is too wide loses the middles of its references, not the size', () => {
  const event = { kind: 'finished', task, outcome: succeeded('copied', 12_345_678) } as const;
  const line = lineOf(event, explain);
  assert.ok(line);

  const cut = formatLine(line, 70);

  assert.equal(cut, 'copied   dock…/library/nginx:1.27 -> swr.exa…/team/nginx:1.27  12.3 MB');
});

test('A long reason takes the place of the destination', () => {
  const reason = 'the registry refused the manifest: DENIED';
  const line = lineOf({ kind: 'finished', task, outcome: failedWith(reason) }, explain);
  assert.ok(line);

  const cut = formatLine(line, 80);

  assert.equal(cut, `failed   docker…/library/nginx:1.27 : ${reason}`);
});

test('No line is wider than it may be', () => {
  const images = pretendedImages(7);
  fc.assert(
    fc.property(
      fc.nat(6),
      fc.integer({ min: 20, max: 250 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      (index, width, reason) => {
        const image = images[index]?.task ?? task;
        const outcomes = [
          failedWith(reason),
          succeeded('copied', 999_900_000),
          succeeded('skipped'),
        ];
        for (const outcome of outcomes) {
          const line = lineOf({ kind: 'finished', task: image, outcome }, explain);
          assert.ok(line);
          assert.ok(widthOf(formatLine(line, width)) <= width, formatLine(line, width));
        }
      },
    ),
  );
});
